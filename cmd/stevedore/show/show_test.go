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
		{ID: "list", Status: tasks.CheckFail, Fix: "Check the name."},
		{ID: "cors", Status: tasks.CheckFail, Code: "OriginNotAllowed", Fix: long},
	})
	table, below, _ := strings.Cut(out.String(), "\n\n")
	if !strings.Contains(table, "Check the name.") || !strings.Contains(table, "see below") || strings.Contains(table, "paste") {
		t.Errorf("the table:\n%s", table)
	}
	if below != "to do about cors:\n"+long+"\n" {
		t.Errorf("below it:\n%s", below)
	}
}

func TestProgressTexts(t *testing.T) {
	t.Parallel()
	s := tasks.Status{ID: "j", Kind: "build-manifest", State: tasks.StateRunning, Round: 2, Progress: tasks.Progress{
		Objects: 1200, ObjectsTotal: 5000, Failed: 4, Shards: 1, ShardsTotal: 5, Rate: 83.4, ETASeconds: 46,
		Codes: map[string]int64{"not-found": 1, "corrupt-image": 2, "access": 1},
	}}
	if got, want := progressLine(s), "build-manifest: running, objects 1200 of 5000, 4 failed (2 corrupt-image, 1 access, 1 not-found), 83 objects/s, about 46s left"; got != want {
		t.Errorf("%s", got)
	}
	var out bytes.Buffer
	if err := Status(&out, s, false); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"running: 1 of 5 shards are done (retry 2", "1200 of 5000, 4 failed", "83 objects/s, about 46s left", "2 corrupt-image, 1 access, 1 not-found"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not in\n%s", text, out.String())
		}
	}
	if got := speedText(tasks.Progress{Rate: 2.53}); got != "2.5 objects/s" {
		t.Error(got)
	}
	if got := progressLine(tasks.Status{Kind: "k", State: tasks.StateQueued}); got != "k: queued" {
		t.Error(got)
	}
}

// A job of a kind that this program does not know ends well too.
func TestForeignKind(t *testing.T) {
	t.Parallel()
	s := tasks.Status{ID: "j", Kind: "count-objects", State: tasks.StateSucceeded, Result: []byte(`{"objects":3}`)}
	var out strings.Builder
	if err := Status(&out, s, false); err != nil || !strings.Contains(out.String(), `{"objects":3}`) {
		t.Errorf("%v\n%s", err, out.String())
	}
	failed := s
	failed.State = tasks.StateFailed
	bad := tasks.Status{Kind: "verify-connection", State: tasks.StateSucceeded, Result: []byte(`{"ok":false,"verdict":"","checks":null}`)}
	good := tasks.Status{Kind: "verify-connection", State: tasks.StateSucceeded, Result: []byte(`{"ok":true,"verdict":"","checks":null}`)}
	newer := tasks.Status{Kind: "verify-connection", State: tasks.StateSucceeded, Result: []byte(`{"ok":false,"added_later":1}`)}
	for name, c := range map[string]struct {
		status tasks.Status
		want   cli.ExitCode
	}{
		"foreign": {s, cli.ExitOK}, "failed": {failed, cli.ExitFailed}, "good connection": {good, cli.ExitOK},
		"bad connection": {bad, cli.ExitFaults}, "not understood": {newer, cli.ExitFailed},
	} {
		if got := cli.Code(verdict(c.status)); got != c.want {
			t.Errorf("%s: exit %d, want %d", name, got, c.want)
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
	if err := Status(&out, s, false); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"tenant       acme", "source       s3://b/images/ (倉庫 1)", "  first line", "  second[2J line", "destination  gcs://c/"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not in\n%q", text, out.String())
		}
	}
}
