package show

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// Progress shows how far a job is. On a terminal it is one line that is
// drawn again and again. Elsewhere there is a line when the state
// changes, and at most one in plainEvery between.
type Progress struct {
	w    io.Writer
	line *line // nil when w is no terminal

	// Of a plain writer: the last status, and when it was written.
	last    tasks.Status
	written time.Time

	mu     sync.Mutex
	status tasks.Status  // what the line shows
	quit   chan struct{} // closed by End
}

const (
	// plainEvery is how often progress is written to a file or a pipe.
	plainEvery = 10 * time.Second
	// drawEvery is how often the line is drawn: for the time that goes
	// by, and for a terminal whose width has changed.
	drawEvery = time.Second
)

// NewProgress makes a Progress that writes to w. End must be called.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w, quit: make(chan struct{})}
	if columns := terminal(w); columns != nil && os.Getenv("TERM") != "dumb" {
		p.useLine(columns)
	}
	return p
}

// useLine draws on a terminal with so many columns.
func (p *Progress) useLine(columns func() int) {
	p.line = &line{w: p.w, columns: columns}
	guard.Go(func() error {
		ticks := time.NewTicker(drawEvery)
		defer ticks.Stop()
		for {
			select {
			case <-p.quit:
				return nil
			case <-ticks.C:
				p.draw()
			}
		}
	})
}

// Show shows a status.
func (p *Progress) Show(s tasks.Status) {
	if p.line == nil {
		p.writePlain(s)
		return
	}
	p.mu.Lock()
	p.status = s
	p.mu.Unlock()
	p.draw()
}

// End removes the line. It may be called twice.
func (p *Progress) End() {
	if p.line == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.quit:
		return
	default:
		close(p.quit)
	}
	p.line.clear()
}

func (p *Progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.quit:
		return
	default:
	}
	if p.status.Kind != "" && !p.status.State.Final() {
		p.line.draw(lineParts(p.status), p.status.Progress)
	}
}

func (p *Progress) writePlain(s tasks.Status) {
	changed := s.State != p.last.State || s.Round != p.last.Round
	if !changed && time.Since(p.written) < plainEvery || s.State.Final() {
		return
	}
	text := plainLine(s)
	if text == plainLine(p.last) {
		return
	}
	p.last, p.written = s, time.Now()
	_, _ = fmt.Fprintln(p.w, text)
}

// plainLine is the progress in one line of any length.
func plainLine(s tasks.Status) string {
	p := s.Progress
	return nonEmpty(s.Kind+": "+string(s.State), countText(p), leftOutText(p), warningsText(p),
		codesText(p.Codes), rateText(p), leftText(p))
}
