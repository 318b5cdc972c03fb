package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/producer/events"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

func TestEnqueueUnderTerms(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	environ := []string{redisURL(o)}
	enqueue := []string{"enqueue", "build-manifest", "--source", "file:///tmp", "--id", "j", "--set", "tenant=theirs"}
	for range 2 { // the deadline differs, and the job is the same
		want(t.Context(), t, cli.ExitOK, environ, append(enqueue, "--delay", "10m", "--deadline", "2h", "--priority", "high", "--tenant", "acme")...)
	}
	raw := o.Client()
	defer func() { _ = raw.Close() }()
	info, err := asynq.NewInspectorFromRedisClient(raw).GetTaskInfo("jobs-high", "j")
	if err != nil || info.State != asynq.TaskStateScheduled {
		t.Fatalf("%+v, %v", info, err)
	}
	var terms tasks.Terms
	if err := json.Unmarshal(info.Payload, &terms); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(terms.Deadline); terms.Tenant != "acme" || left < time.Hour || left > 2*time.Hour {
		t.Errorf("%+v", terms)
	}
	for flag, values := range map[string][]string{
		"deadline": {"tomorrow", "2001-01-01T00:00:00Z", "-1h"}, "delay": {"-1s", "soon"}, "priority": {"urgent"}, "tenant": {"a b"},
	} {
		for _, value := range values {
			_, errs := want(t.Context(), t, cli.ExitInvalid, environ, "enqueue", "build-manifest", "--source", "file:///tmp", "--"+flag+"="+value)
			if !strings.Contains(errs, flag) {
				t.Errorf("--%s=%s: %s", flag, value, errs)
			}
		}
	}
}

func TestCancelCommand(t *testing.T) {
	t.Parallel()
	environ := []string{redisURL(queuetest.Embedded(t))}
	want(t.Context(), t, cli.ExitOK, environ, "enqueue", "build-manifest", "--source", "file:///tmp", "--id", "j")
	for range 2 {
		if out, _ := want(t.Context(), t, cli.ExitOK, environ, "cancel", "j"); out != "cancelled\n" {
			t.Errorf("%q", out)
		}
	}
	if out, _ := want(t.Context(), t, cli.ExitFailed, environ, "wait", "j"); !strings.Contains(out, "cancelled") {
		t.Errorf("wait: %s", out)
	}
	if _, errs := want(t.Context(), t, cli.ExitFailed, environ, "cancel", "nobody"); !strings.Contains(errs, "no such job") {
		t.Errorf("%s", errs)
	}
	out, errs := want(t.Context(), t, cli.ExitEnded, environ, "enqueue", "build-manifest", "--source", "file:///tmp", "--id", "j")
	if out != "j\n" || !strings.Contains(errs, "it is cancelled") || !strings.Contains(errs, "stevedore retry j") {
		t.Errorf("enqueued again: %q, %s", out, errs)
	}
	want(t.Context(), t, cli.ExitOK, environ, "retry", "j")
	if out, _ := want(t.Context(), t, cli.ExitOK, environ, "status", "j"); !strings.Contains(out, "queued (retry 1)") {
		t.Errorf("retried: %s", out)
	}
}

// eventLines reads what the events command prints as "job type".
func eventLines(t *testing.T, out string) (lines []string, last events.Event) {
	t.Helper()
	for dec := json.NewDecoder(strings.NewReader(out)); dec.More(); {
		if err := dec.Decode(&last); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, last.Job+" "+string(last.Type))
	}
	return lines, last
}

func wantLines(t *testing.T, out, want string) events.Event {
	t.Helper()
	lines, last := eventLines(t, out)
	if got := strings.Join(lines, ", "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	return last
}

func TestEventsCommand(t *testing.T) {
	t.Parallel()
	environ := []string{redisURL(queuetest.Embedded(t))}
	cancelled := func(id string) {
		want(t.Context(), t, cli.ExitOK, environ, "enqueue", "build-manifest", "--source", "file:///tmp", "--id", id)
		want(t.Context(), t, cli.ExitOK, environ, "cancel", id)
	}
	cancelled("a")
	cancelled("b")
	out, _ := want(t.Context(), t, cli.ExitOK, environ, "events")
	last := wantLines(t, out, "a cancelled, b cancelled")
	if last.Position == "" || last.ID == "" || last.Kind != "build-manifest" || last.State != tasks.StateCancelled || last.Time.IsZero() {
		t.Errorf("%+v", last)
	}
	out, _ = want(t.Context(), t, cli.ExitOK, environ, "events", "--job", "a")
	wantLines(t, out, "a cancelled")
	out, _ = want(t.Context(), t, cli.ExitOK, environ, "events", "--group", "g", "--consumer", "one")
	wantLines(t, out, "a cancelled, b cancelled")
	cancelled("c")
	out, _ = want(t.Context(), t, cli.ExitOK, environ, "events", "--after", last.Position)
	wantLines(t, out, "c cancelled")
	out, _ = want(t.Context(), t, cli.ExitOK, environ, "events", "--group", "g") // the first consumer has acknowledged the others
	wantLines(t, out, "c cancelled")
	for _, args := range [][]string{{"--after", "yesterday"}, {"--consumer", "one"}, {"--group", "g", "--job", "a"}} {
		want(t.Context(), t, cli.ExitInvalid, environ, append([]string{"events"}, args...)...)
	}
	want(t.Context(), t, cli.ExitFailed, []string{"STEVEDORE_REDIS_URL=redis://127.0.0.1:1/0"}, "events", "--follow")
}

// An interrupt ends the command without an error.
func TestEventsFollow(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"all": nil, "new": {"--after", "$"}, "group": {"--group", "g"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := []string{redisURL(queuetest.Embedded(t))}
			ctx, stop := context.WithTimeout(t.Context(), maxWait)
			defer stop()
			var out, errs syncBuffer
			ended := make(chan cli.ExitCode, 1)
			go func() {
				ended <- run(ctx, append([]string{"events", "--follow"}, flags...), cli.Console{Out: &out, Err: &errs, Environ: environ})
			}()
			jobs := 0
			queuetest.Eventually(t, 10*time.Second, "what happens is printed", func() bool {
				id := fmt.Sprint("j", jobs)
				jobs++
				want(t.Context(), t, cli.ExitOK, environ, "enqueue", "build-manifest", "--source", "file:///tmp", "--id", id)
				want(t.Context(), t, cli.ExitOK, environ, "cancel", id)
				return bytes.Count(out.Bytes(), []byte("\n")) > 2
			})
			stop()
			if code := <-ended; code != cli.ExitOK || len(errs.Bytes()) > 0 {
				t.Errorf("exit %d, %s", code, errs.Bytes())
			}
		})
	}
}

// A corrupt image is replaced by a good one, and the retry succeeds.
func TestRetryCommand(t *testing.T) {
	t.Parallel()
	dir := drawDataset(t)
	environ := []string{
		redisURL(queuetest.Embedded(t)), "STEVEDORE_FILE_ROOTS=" + dir,
		"STEVEDORE_HTTP_ADDR=", "STEVEDORE_LOG_LEVEL=error",
	}
	ctx, stop := startWorker(t, environ)
	want(ctx, t, cli.ExitOK, environ, "enqueue", "build-manifest", "--id", "j", "--source", "file://"+dir, "--set", "source.prefix="+dataset.Prefix)
	out, errs := want(ctx, t, cli.ExitOK, environ, "wait", "j")
	if !strings.Contains(out, "1 corrupt-image") || !strings.Contains(errs, dataset.CorruptKey) {
		t.Errorf("%s\n%s", out, errs)
	}
	mend(t, dir)
	out, _ = want(ctx, t, cli.ExitOK, environ, "retry", "j", "--wait", "--json")
	if r := manifestIn(t, out); r.Failed != 0 || r.Entries != int64(dataset.Count().Images+dataset.Count().Corrupt) {
		t.Errorf("%s", out)
	}
	if out, _ := want(ctx, t, cli.ExitOK, environ, "status", "j", "--errors"); out != "" {
		t.Errorf("still on the error list: %s", out)
	}
	if _, errs := want(ctx, t, cli.ExitFailed, environ, "retry", "j"); !strings.Contains(errs, "no object failed") {
		t.Errorf("%s", errs)
	}
	if log := stop(); log != "" {
		t.Errorf("the worker's log:\n%s", log)
	}
}

// mend replaces the corrupt image by a good one.
func mend(t *testing.T, dir string) {
	t.Helper()
	images, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(dataset.Prefix), "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	corrupt := filepath.Join(dir, filepath.FromSlash(dataset.CorruptKey))
	for _, image := range images {
		if image == corrupt {
			continue
		}
		data, err := os.ReadFile(image)
		if err == nil {
			err = os.WriteFile(corrupt, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("there is no good image")
}
