package show

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// A fix that people paste is printed below the table, on one line.
func TestShowChecks(t *testing.T) {
	t.Parallel()
	long := "paste " + strings.Repeat(`{"AllowedOrigins":["https://app.example"]} `, 10)
	var out strings.Builder
	checks(&out, []tasks.Check{
		{ID: "list", Status: tasks.CheckFail, Code: "NoSuchBucket", Evidence: "there is no bucket", Fix: "Check the name."},
		{ID: "cors", Status: tasks.CheckFail, Code: "OriginNotAllowed", Fix: long},
	})
	table, below, _ := strings.Cut(out.String(), "\n\n")
	for _, text := range []string{"NoSuchBucket: there is no bucket", "To do: Check the name.", "see below"} {
		if !strings.Contains(table, text) {
			t.Errorf("%q is not in the table:\n%s", text, table)
		}
	}
	if strings.Contains(table, "paste") || below != "To do about cors:\n"+long+"\n" {
		t.Errorf("the table:\n%s\nbelow it:\n%s", table, below)
	}
}

func TestStatusTexts(t *testing.T) {
	t.Parallel()
	s := tasks.Status{ID: "j", Kind: "build-manifest", State: tasks.StateRunning, Round: 2, Progress: tasks.Progress{
		Objects: 1200, ObjectsTotal: 5000, Failed: 7, Warnings: 3, Shards: 1, ShardsTotal: 5, Rate: 83.4, ETASeconds: 46,
		Codes: map[string]int64{"not-found": 1, "corrupt-image": 2, "access": 1, "size-mismatch": 3},
	}}
	var out bytes.Buffer
	Status(&out, s)
	for _, text := range []string{
		"running: 1 of 5 shards are done (retry 2)", "1200 of 5000, 4 left out, 3 with warnings",
		"83 objects/s, 46s left", "3 size-mismatch, 2 corrupt-image, 1 access, 1 not-found",
	} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not in\n%s", text, out.String())
		}
	}
	if got := rateText(tasks.Progress{Rate: 2.53}); got != "2.5 objects/s" {
		t.Error(got)
	}
}

// The state says how good the end was.
func TestStateTexts(t *testing.T) {
	t.Parallel()
	faults := tasks.VerifyConnectionResult{Checks: []tasks.Check{{Status: tasks.CheckFail}, {Status: tasks.CheckOK}, {Status: tasks.CheckFail}}}
	succeeded := func(p tasks.Progress) tasks.Status {
		return tasks.Status{State: tasks.StateSucceeded, Progress: p}
	}
	for want, got := range map[string]string{
		"succeeded":                                       stateText(succeeded(tasks.Progress{}), tasks.VerifyConnectionResult{}),
		"ended: found 2 faults":                           stateText(succeeded(tasks.Progress{}), faults),
		"succeeded, objects: 200 with warnings":           stateText(succeeded(tasks.Progress{Failed: 200, Warnings: 200}), tasks.VerifyConnectionResult{}),
		"succeeded, objects: 1 left out, 2 with warnings": stateText(succeeded(tasks.Progress{Failed: 3, Warnings: 2}), tasks.VerifyConnectionResult{}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A job of a kind that this program does not know ends well too.
func TestForeignKind(t *testing.T) {
	t.Parallel()
	s := tasks.Status{ID: "j", Kind: "count-objects", State: tasks.StateSucceeded, Result: []byte(`{"objects":3}`)}
	var out strings.Builder
	if Status(&out, s); !strings.Contains(out.String(), `{"objects":3}`) {
		t.Errorf("%s", out.String())
	}
	failed := s
	failed.State = tasks.StateFailed
	bad := tasks.Status{Kind: "verify-connection", State: tasks.StateSucceeded, Result: []byte(`{"ok":false,"verdict":"","checks":null}`)}
	good := tasks.Status{Kind: "verify-connection", State: tasks.StateSucceeded, Result: []byte(`{"ok":true,"verdict":"","checks":null}`)}
	lacking := tasks.Status{Kind: "count-objects", State: tasks.StateSucceeded, Progress: tasks.Progress{Failed: 1}}
	warned := tasks.Status{Kind: "count-objects", State: tasks.StateSucceeded, Progress: tasks.Progress{Failed: 1, Warnings: 1}}
	newer := tasks.Status{Kind: "verify-connection", State: tasks.StateSucceeded, Result: []byte(`{"ok":false,"added_later":1}`)}
	for name, c := range map[string]struct {
		status tasks.Status
		want   cli.ExitCode
	}{
		"foreign": {s, cli.ExitOK}, "failed": {failed, cli.ExitFailed}, "good connection": {good, cli.ExitOK},
		"bad connection": {bad, cli.ExitFaults}, "not understood": {newer, cli.ExitFailed},
	} {
		if got := cli.Code(Ending{}.verdict(c.status)); got != c.want {
			t.Errorf("%s: exit %d, want %d", name, got, c.want)
		}
	}
	for status, want := range map[*tasks.Status]cli.ExitCode{&lacking: cli.ExitLeftOut, &warned: cli.ExitOK} {
		if got := cli.Code(Ending{FailOnErrors: true}.verdict(*status)); got != want {
			t.Errorf("with --fail-on-errors, %+v: exit %d, want %d", status.Progress, got, want)
		}
		if got := cli.Code(Ending{}.verdict(*status)); got != cli.ExitOK {
			t.Errorf("%+v: exit %d", status.Progress, got)
		}
	}
}

func TestStatusNamesStorages(t *testing.T) {
	t.Parallel()
	s := tasks.Status{ID: "j", Kind: "k", State: tasks.StateQueued, Tenant: "acme", Storages: []tasks.NamedStorage{
		{Field: "source", URL: "s3://b/images/", DisplayName: "倉庫 1", Description: "first line\nsecond\x1b[2J line"},
		{Field: "destination", URL: "gcs://c/"},
	}}
	var out strings.Builder
	Status(&out, s)
	for _, text := range []string{"tenant       acme", "source       s3://b/images/ (倉庫 1)", "  first line", "  second[2J line", "destination  gcs://c/"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not in\n%q", text, out.String())
		}
	}
}
