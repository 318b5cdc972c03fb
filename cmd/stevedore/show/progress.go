package show

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Progress shows how far a job is: a bar on a terminal, and elsewhere a
// line, at most one a second.
type Progress struct {
	w    io.Writer
	bar  *progressbar.ProgressBar // nil when w is not a terminal
	last time.Time                // when the last line was written
	text string                   // the last line
}

// NewProgress makes a Progress that writes to w.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(-1,
			progressbar.OptionSetWriter(w),
			progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(50*time.Millisecond))
	}
	return p
}

// Show shows a status.
func (p *Progress) Show(s tasks.Status) {
	if p.bar != nil {
		p.showBar(s)
		return
	}
	line := progressLine(s)
	if line == p.text || time.Since(p.last) < time.Second && !s.State.Final() {
		return
	}
	p.text, p.last = line, time.Now()
	_, _ = fmt.Fprintln(p.w, line)
}

func (p *Progress) showBar(s tasks.Status) {
	if total := s.Progress.ObjectsTotal; total > 0 && p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	parts := []string{
		s.Kind + ": " + string(s.State), speedText(s.Progress), codesText(s.Progress.Codes),
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	p.bar.Describe(strings.Join(parts, ", "))
	_ = p.bar.Set64(s.Progress.Objects)
}

// End removes the bar.
func (p *Progress) End() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

func progressLine(s tasks.Status) string {
	line := s.Kind + ": " + string(s.State)
	if s.Progress.Objects > 0 {
		line += ", objects " + countText(s.Progress)
	}
	if codes := codesText(s.Progress.Codes); codes != "" {
		line += " (" + codes + ")"
	}
	if speed := speedText(s.Progress); speed != "" {
		line += ", " + speed
	}
	return line
}

func countText(p tasks.Progress) string {
	text := fmt.Sprintf("%d", p.Objects)
	if p.ObjectsTotal > 0 {
		text += fmt.Sprintf(" of %d", p.ObjectsTotal)
	}
	if p.Failed > 0 {
		text += fmt.Sprintf(", %d failed", p.Failed)
	}
	return text
}

// speedText returns the rate and the time left, or nothing while
// neither is known.
func speedText(p tasks.Progress) string {
	var parts []string
	switch {
	case p.Rate >= 10:
		parts = append(parts, fmt.Sprintf("%.0f objects/s", p.Rate))
	case p.Rate > 0:
		parts = append(parts, fmt.Sprintf("%.1f objects/s", p.Rate))
	}
	if p.ETASeconds > 0 {
		left := time.Duration(p.ETASeconds) * time.Second
		parts = append(parts, fmt.Sprintf("about %v left", left))
	}
	return strings.Join(parts, ", ")
}

// codesText counts failures by their code, the most frequent first.
func codesText(codes map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(codes), func(a, b string) int {
		return cmp.Or(cmp.Compare(codes[b], codes[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", codes[name], name)
	}
	return strings.Join(names, ", ")
}
