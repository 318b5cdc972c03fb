package worker_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Redis loses the last second of what it has acknowledged, as it may with its
// file synced once a second: shards that the coordinator has seen done are
// not done any more, and some of them not even enqueued.
func TestRedisLosesItsLastSecond(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	o := r.Options()
	early, late := newGate(), newGate()
	m := &counting{shards: 80, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
		switch n, err := strconv.Atoi(s.Through); {
		case err == nil && n >= 75:
			return late.pass(ctx)
		case err == nil && n >= 5:
			return early.pass(ctx)
		}
		return nil
	}}
	start(t, config(t, o), jobs{manifest: m})
	c := client(t, o)
	enqueue(t, c, manifest, "m")
	early.waitHeld(t, 2)
	log := appendLog(t, o)
	before, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	close(early.open)
	late.waitHeld(t, 2)
	queuetest.Eventually(t, 10*time.Second, "all but the last shards are committed", func() bool {
		s, err := c.Status(t.Context(), "m")
		return err == nil && s.Progress.Shards == 75
	})
	looks(t, o, 2)
	r.Down()
	if err := os.Truncate(log, before.Size()); err != nil {
		t.Fatal(err)
	}
	r.Up()
	if s, err := c.Status(t.Context(), "m"); err != nil || s.Progress.Shards > 10 {
		t.Fatalf("Redis has lost nothing: %+v, %v", s, err)
	}
	close(late.open)
	result(t, wait(t, c, "m", 60*time.Second), 80)
}

// looks waits until the coordinator has looked so often at what is done.
func looks(t *testing.T, o redisconn.Options, n int) {
	t.Helper()
	client := o.Client()
	defer func() { _ = client.Close() }()
	last := ""
	queuetest.Eventually(t, 10*time.Second, "the coordinator looks", func() bool {
		if beat := client.HGet(t.Context(), "stevedore:{m}:job", "beat").Val(); beat != last {
			last = beat
			n--
		}
		return n < 0
	})
}

// appendLog is the file that Redis appends to.
func appendLog(t *testing.T, o redisconn.Options) string {
	t.Helper()
	client := o.Client()
	defer func() { _ = client.Close() }()
	at, err := client.ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(at["dir"], "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	return files[0]
}
