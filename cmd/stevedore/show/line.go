package show

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// line is the one line of a terminal that shows progress. Libraries for
// progress bars do not cut their line to the width of the terminal.
type line struct {
	w       io.Writer
	columns func() int
	drawn   int // width of what is on the terminal; 0 if nothing is
}

// part is a piece of the line. If the line is too long, the parts with
// the lowest rank are left out first.
type part struct {
	text string
	rank int
}

// lineParts returns the parts of the line, in the order in which they
// are shown.
func lineParts(s tasks.Status) []part {
	p := s.Progress
	parts := []part{
		{s.Kind + ": " + string(s.State), 7},
		{percentText(p), 6},
		{countText(p), 4},
		{leftText(p), 5},
		{leftOutText(p), 3},
		{warningsText(p), 1},
		{rateText(p), 2},
	}
	if p.Objects == 0 && !s.Started.IsZero() {
		running := max(time.Since(s.Started), 0).Truncate(time.Second)
		parts = append(parts, part{fmt.Sprintf("for %v", running), 4})
	}
	return slices.DeleteFunc(parts, func(p part) bool { return p.text == "" })
}

// compose joins the parts that fit into a width.
func compose(parts []part, width int) string {
	for {
		texts := make([]string, len(parts))
		for i, p := range parts {
			texts[i] = printable(p.text)
		}
		joined := strings.Join(texts, ", ")
		if len(parts) <= 1 || text.StringWidthWithoutEscSequences(joined) <= width {
			return text.Snip(joined, width, "…")
		}
		least := slices.MinFunc(parts, func(a, b part) int { return a.rank - b.rank })
		parts = slices.DeleteFunc(parts, func(p part) bool { return p.rank == least.rank })
	}
}

const (
	minBar = 10 // columns of a bar, without its ends
	maxBar = 30
)

// bar returns a bar of at most so many columns, or nothing if there is
// no room or no total.
func bar(p tasks.Progress, room int) string {
	width := min(maxBar, room-len(" []"))
	if p.ObjectsTotal <= 0 || width < minBar {
		return ""
	}
	full := int(min(p.Objects, p.ObjectsTotal) * int64(width) / p.ObjectsTotal)
	return " [" + strings.Repeat("=", full) + strings.Repeat(" ", width-full) + "]"
}

// draw draws the line in place of what was drawn before. It leaves the
// last column free: writing into it would begin a new line.
func (l *line) draw(parts []part, p tasks.Progress) {
	columns := l.columns()
	width := max(1, columns-1)
	shown := compose(parts, width)
	shown += bar(p, width-text.StringWidthWithoutEscSequences(shown))
	_, _ = io.WriteString(l.w, l.back(columns)+shown)
	l.drawn = text.StringWidthWithoutEscSequences(shown)
}

// clear removes what was drawn.
func (l *line) clear() {
	_, _ = io.WriteString(l.w, l.back(l.columns()))
	l.drawn = 0
}

// back returns the codes that remove what was drawn, and move the
// cursor to its beginning. A terminal that has become narrower since
// shows it on several lines. Lines are removed one by one: some
// terminals keep a copy of what they remove when they clear a screen.
func (l *line) back(columns int) string {
	if l.drawn == 0 {
		return ""
	}
	rows := (l.drawn - 1) / max(1, columns)
	return "\r\x1b[K" + strings.Repeat("\x1b[A\x1b[K", rows)
}
