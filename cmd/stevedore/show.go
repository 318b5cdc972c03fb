package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// follow shows a job's progress on the way and its result at the end. A job
// that did not end well is errShown.
func follow(ctx context.Context, client *producer.Client, id string, c console, asJSON bool) error {
	p := newProgress(c.err)
	s, err := client.Wait(ctx, id, p.show)
	p.end()
	if err != nil {
		return err
	}
	if s.State == tasks.StateSucceeded && asJSON {
		if _, err := fmt.Fprintln(c.out, string(s.Result)); err != nil {
			return err
		}
	} else if err := showStatus(c.out, s, asJSON); err != nil {
		return err
	}
	if err := showErrors(ctx, client, s, c.err); err != nil {
		return err
	}
	if !endedWell(s) {
		return errShown
	}
	return nil
}

// endedWell is false for a failed job, and for a verification that found a
// fault.
func endedWell(s tasks.Status) bool {
	r, err := producer.Result(s)
	v, isVerify := r.(tasks.VerifyConnectionResult)
	return err == nil && (!isVerify || v.OK)
}

const errorsShown = 20

func showErrors(ctx context.Context, client *producer.Client, s tasks.Status, w io.Writer) error {
	if s.Progress.Failed == 0 {
		return nil
	}
	shown := int64(0)
	for e, err := range client.Errors(ctx, s.ID) {
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(w, "  %s: %s: %s\n", e.Key, e.Code, e.Message)
		if shown++; shown == errorsShown {
			break
		}
	}
	if more := s.Progress.Failed - shown; more > 0 {
		_, _ = fmt.Fprintf(w, "  and %d more\n", more)
	}
	return nil
}

func showStatus(w io.Writer, s tasks.Status, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	t := newTable(w)
	t.AppendRow(table.Row{"job", s.ID})
	t.AppendRow(table.Row{"kind", s.Kind})
	t.AppendRow(table.Row{"state", phaseText(s)})
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
	if err == nil {
		t.AppendRow(table.Row{"result", r.Summary()})
	}
	t.Render()
	if v, ok := r.(tasks.VerifyConnectionResult); ok {
		showChecks(w, v.Checks)
	}
	return nil
}

// longFix is about what fits beside the evidence. A longer fix holds
// something to paste, which a table would break.
const longFix = 240

func showChecks(w io.Writer, checks []tasks.Check) {
	t := newTable(w)
	t.AppendHeader(table.Row{"check", "status", "code", "seen", "to do"})
	var long []tasks.Check
	for _, c := range checks {
		fix := c.Fix
		if len(fix) > longFix {
			fix, long = "see below", append(long, c)
		}
		t.AppendRow(table.Row{c.ID, c.Status, c.Code, c.Evidence, fix})
	}
	t.Render()
	for _, c := range long {
		_, _ = fmt.Fprintf(w, "\nto do about %s:\n%s\n", c.ID, c.Fix)
	}
}

// newTable is a table without lines. It counts the columns of wide characters
// as two.
func newTable(w io.Writer) table.Writer {
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
