package main

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// A wrong password of Redis ends every command with one line that names
// the server and the setting. A worker logs its settings before.
func TestWrongRedisPassword(t *testing.T) {
	t.Parallel()
	o := queuetest.StartACL(t).Options()
	u := url.URL{Scheme: "redis", User: url.UserPassword(o.Username, "hush"), Host: o.Addr}
	environ := []string{"STEVEDORE_REDIS_URL=" + u.String(), "STEVEDORE_HTTP_ADDR="}
	for _, args := range [][]string{
		{"worker"}, {"wait", "j"}, {"status", "j"}, {"events", "--follow"},
		{"enqueue", "build-manifest", "--source", "file:///tmp"},
	} {
		_, errs := want(t.Context(), t, cli.ExitFailed, environ, args...)
		var lines []string
		for line := range strings.Lines(errs) {
			if args[0] != "worker" || !strings.HasPrefix(line, "{") {
				lines = append(lines, line)
			}
		}
		for _, part := range []string{o.Addr, "WRONGPASS", "STEVEDORE_REDIS_URL"} {
			if len(lines) != 1 || !strings.Contains(lines[0], part) || strings.Contains(errs, "hush") {
				t.Errorf("%v: %q is not in the one line: %s", args, part, errs)
			}
		}
	}
}

// The commands that wait say so while Redis is away, and when it is
// back.
func TestWaitsForRedisAloud(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"wait", "j"}, {"events", "--follow"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			r := queuetest.Start(t)
			environ := []string{redisURL(r.Options())}
			want(t.Context(), t, cli.ExitOK, environ, "enqueue", "build-manifest", "--source", "file:///tmp", "--id", "j")
			ctx, stop := context.WithTimeout(t.Context(), maxWait)
			defer stop()
			var out, errs syncBuffer
			ended := make(chan cli.ExitCode, 1)
			go func() { ended <- run(ctx, args, cli.Console{Out: &out, Err: &errs, Environ: environ}) }()
			says := func(text string) {
				t.Helper()
				queuetest.Eventually(t, 30*time.Second, text, func() bool {
					return strings.Contains(string(errs.Bytes()), text)
				})
			}
			if args[0] == "wait" {
				says("queued")
			} else {
				queuetest.Eventually(t, 30*time.Second, "it waits for events", func() bool { return isBlocked(t, r.Options()) })
			}
			r.Down()
			says("stevedore: waiting for Redis: redis at " + r.Options().Addr)
			r.Up()
			says("stevedore: Redis is back after ")
			want(t.Context(), t, cli.ExitOK, environ, "cancel", "j")
			if args[0] == "events" {
				queuetest.Eventually(t, 30*time.Second, "the event is printed", func() bool { return len(out.Bytes()) > 0 })
				stop()
			}
			<-ended
			if n := strings.Count(string(errs.Bytes()), "stevedore: "); n != 2 {
				t.Errorf("%d lines about Redis:\n%s", n, errs.Bytes())
			}
		})
	}
}

// isBlocked reports whether a client of Redis waits for something.
func isBlocked(t *testing.T, o redisconn.Options) bool {
	t.Helper()
	client := o.Client()
	defer func() { _ = client.Close() }()
	info, err := client.Info(t.Context(), "clients").Result()
	return err == nil && !strings.Contains(info, "blocked_clients:0")
}
