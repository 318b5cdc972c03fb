package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// JSON prints the status of a job for programs. All commands with
// --json print this.
func JSON(w io.Writer, s tasks.Status) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// Status prints the status of a job for people, as a table.
func Status(w io.Writer, s tasks.Status) {
	r, err := producer.Result(s)
	v, isVerify := r.(tasks.VerifyConnectionResult)
	t := NewTable(w)
	t.Row("job", s.ID)
	t.Row("kind", s.Kind)
	t.Row("state", stateText(s, v))
	appendStorages(t, s)
	appendProgress(t, s.Progress)
	if !s.Started.IsZero() {
		end := s.Finished
		if end.IsZero() {
			end = time.Now()
		}
		t.Row("took", max(end.Sub(s.Started), 0).Round(time.Millisecond))
	}
	if f := s.Failure; f != nil {
		t.Row("failure", f.Message)
		t.Row("to do", f.Fix)
	}
	switch {
	case err == nil:
		t.Row("result", r.Summary())
	case s.State == tasks.StateSucceeded: // a kind that this program does not know
		t.Row("result", string(s.Result))
	}
	t.Render()
	if isVerify {
		checks(w, v.Checks)
	}
}

// stateText says what a job is doing, or how it ended. v is the result
// of a verification.
func stateText(s tasks.Status, v tasks.VerifyConnectionResult) string {
	state := string(s.State)
	switch p := s.Progress; {
	case v.Faults() > 0:
		state = "ended: found " + plural(int64(v.Faults()), "fault")
	case s.State == tasks.StatePlanning:
		state += ": listing the bucket; shards already run"
	case s.State == tasks.StateRunning && p.ShardsTotal > 0:
		state += fmt.Sprintf(": %d of %d shards are done", p.Shards, p.ShardsTotal)
	case s.State == tasks.StateFinishing:
		state += ": making the result"
	case s.State == tasks.StateSucceeded && p.Failed > 0:
		state += ", objects: " + nonEmpty(leftOutText(p), warningsText(p))
	}
	if s.Round > 0 {
		state += fmt.Sprintf(" (retry %d)", s.Round)
	}
	return state
}

// appendProgress adds the rows of a job's progress, as far as it is
// known.
func appendProgress(t *Table, p tasks.Progress) {
	if done := countText(p); done != "" {
		done = strings.TrimSuffix(done, " objects")
		t.Row("objects", nonEmpty(done, leftOutText(p), warningsText(p)))
	}
	if speed := nonEmpty(rateText(p), leftText(p)); speed != "" {
		t.Row("speed", speed)
	}
	if len(p.Codes) > 0 {
		t.Row("error list", codesText(p.Codes))
	}
}

// maxFix is the longest advice that stands in the table, in bytes.
// Longer advice holds something to paste, which a table would break.
const maxFix = 240

// checks prints the checks of a verification: what was seen, and below
// it what to do.
func checks(w io.Writer, checks []tasks.Check) {
	t := NewTable(w, "check", "status", "seen, and what to do")
	var long []tasks.Check
	for _, c := range checks {
		seen := c.Evidence
		if c.Code != "" {
			seen = c.Code + ": " + seen
		}
		t.Row(c.ID, c.Status, seen)
		switch {
		case len(c.Fix) > maxFix:
			long = append(long, c)
			t.Row("", "", "To do: see below.")
		case c.Fix != "":
			t.Row("", "", "To do: "+c.Fix)
		}
	}
	_, _ = fmt.Fprintln(w)
	t.Render()
	for _, c := range long {
		_, _ = fmt.Fprintf(w, "\nTo do about %s:\n%s\n", c.ID, printable(c.Fix))
	}
}
