package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// phaseText is what a job is at.
func phaseText(s tasks.Status) string {
	text := string(s.State)
	switch p := s.Progress; {
	case s.State == tasks.StatePlanning:
		text += ": listing the bucket; shards already run"
	case s.State == tasks.StateRunning && p.ShardsTotal > 0:
		text += fmt.Sprintf(": %d of %d shards are done", p.Shards, p.ShardsTotal)
	case s.State == tasks.StateFinishing:
		text += ": putting the result together"
	}
	if s.Round > 0 {
		text += fmt.Sprintf(" (retry %d of what had failed)", s.Round)
	}
	return text
}

// appendProgress adds the rows of a job's progress, as far as it is known.
func appendProgress(t table.Writer, p tasks.Progress) {
	if p.Objects > 0 || p.ObjectsTotal > 0 {
		t.AppendRow(table.Row{"objects", progressText(p)})
	}
	if speed := speedText(p); speed != "" {
		t.AppendRow(table.Row{"speed", speed})
	}
	if len(p.Codes) > 0 {
		t.AppendRow(table.Row{"failures", codesText(p.Codes)})
	}
}

func progressText(p tasks.Progress) string {
	s := fmt.Sprintf("%d", p.Objects)
	if p.ObjectsTotal > 0 {
		s += fmt.Sprintf(" of %d", p.ObjectsTotal)
	}
	if p.Failed > 0 {
		s += fmt.Sprintf(", %d failed", p.Failed)
	}
	return s
}

// speedText is the rate and the time left; empty while neither is known.
func speedText(p tasks.Progress) string {
	var parts []string
	switch {
	case p.Rate >= 10:
		parts = append(parts, fmt.Sprintf("%.0f objects/s", p.Rate))
	case p.Rate > 0:
		parts = append(parts, fmt.Sprintf("%.1f objects/s", p.Rate))
	}
	if p.ETASeconds > 0 {
		parts = append(parts, fmt.Sprintf("about %v left", time.Duration(p.ETASeconds)*time.Second))
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

// progress is a bar on a terminal and a line at most every second elsewhere.
type progress struct {
	w    io.Writer
	bar  *progressbar.ProgressBar
	last time.Time
	text string
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(50*time.Millisecond))
	}
	return p
}

func (p *progress) show(s tasks.Status) {
	if p.bar != nil {
		if total := s.Progress.ObjectsTotal; total > 0 && p.bar.GetMax64() != total {
			p.bar.ChangeMax64(total)
		}
		p.bar.Describe(strings.Join(slices.DeleteFunc([]string{
			s.Kind + ": " + string(s.State), speedText(s.Progress), codesText(s.Progress.Codes),
		}, func(part string) bool { return part == "" }), ", "))
		_ = p.bar.Set64(s.Progress.Objects)
		return
	}
	line := progressLine(s)
	if line == p.text || time.Since(p.last) < time.Second && !s.State.Final() {
		return
	}
	p.text, p.last = line, time.Now()
	_, _ = fmt.Fprintln(p.w, line)
}

func progressLine(s tasks.Status) string {
	line := s.Kind + ": " + string(s.State)
	if s.Progress.Objects > 0 {
		line += ", objects " + progressText(s.Progress)
	}
	if codes := codesText(s.Progress.Codes); codes != "" {
		line += " (" + codes + ")"
	}
	if speed := speedText(s.Progress); speed != "" {
		line += ", " + speed
	}
	return line
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
