package show

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Status prints the status of a job as a table, or as JSON.
func Status(w io.Writer, s tasks.Status, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	t := NewTable(w)
	t.AppendRow(table.Row{"job", s.ID})
	t.AppendRow(table.Row{"kind", s.Kind})
	t.AppendRow(table.Row{"state", stateText(s)})
	appendStorages(t, s)
	appendProgress(t, s.Progress)
	if !s.Started.IsZero() {
		end := s.Finished
		if end.IsZero() {
			end = time.Now()
		}
		t.AppendRow(table.Row{"took", end.Sub(s.Started).Round(time.Millisecond)})
	}
	if f := s.Failure; f != nil {
		t.AppendRow(table.Row{"failure", f.Message})
		t.AppendRow(table.Row{"to do", f.Fix})
	}
	r, err := producer.Result(s)
	switch {
	case err == nil:
		t.AppendRow(table.Row{"result", r.Summary()})
	case s.State == tasks.StateSucceeded: // a kind that this program does not know
		t.AppendRow(table.Row{"result", string(s.Result)})
	}
	t.Render()
	if v, ok := r.(tasks.VerifyConnectionResult); ok {
		checks(w, v.Checks)
	}
	return nil
}

// stateText says what a job is doing.
func stateText(s tasks.Status) string {
	text := string(s.State)
	switch p := s.Progress; {
	case s.State == tasks.StatePlanning:
		text += ": listing the bucket; shards already run"
	case s.State == tasks.StateRunning && p.ShardsTotal > 0:
		text += fmt.Sprintf(": %d of %d shards are done", p.Shards, p.ShardsTotal)
	case s.State == tasks.StateFinishing:
		text += ": making the result"
	}
	if s.Round > 0 {
		text += fmt.Sprintf(" (retry %d of the failed objects)", s.Round)
	}
	return text
}

// appendProgress adds the rows of a job's progress, as far as it is
// known.
func appendProgress(t table.Writer, p tasks.Progress) {
	if p.Objects > 0 || p.ObjectsTotal > 0 {
		t.AppendRow(table.Row{"objects", countText(p)})
	}
	if speed := speedText(p); speed != "" {
		t.AppendRow(table.Row{"speed", speed})
	}
	if len(p.Codes) > 0 {
		t.AppendRow(table.Row{"failures", codesText(p.Codes)})
	}
}

// maxFix is the longest advice that fits beside the evidence, in bytes.
// Longer advice holds something to paste, which a table would break.
const maxFix = 240

// checks prints the checks of a verification.
func checks(w io.Writer, checks []tasks.Check) {
	t := NewTable(w)
	t.AppendHeader(table.Row{"check", "status", "code", "seen", "to do"})
	var long []tasks.Check
	for _, c := range checks {
		fix := c.Fix
		if len(fix) > maxFix {
			fix, long = "see below", append(long, c)
		}
		t.AppendRow(table.Row{c.ID, c.Status, c.Code, c.Evidence, fix})
	}
	t.Render()
	for _, c := range long {
		_, _ = fmt.Fprintf(w, "\nto do about %s:\n%s\n", c.ID, c.Fix)
	}
}

// NewTable makes a table without lines. It counts wide characters as
// two columns.
func NewTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 100, WidthMaxEnforcer: text.WrapSoft},
		{Number: 4, WidthMax: 50, WidthMaxEnforcer: text.WrapSoft},
		{Number: 5, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft},
	})
	return t
}
