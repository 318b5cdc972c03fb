package worker_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// After a second crash at a shard each of its objects is noted before it is
// touched, and all before it is kept.
func TestCarefulAfterTwoCrashes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		l := newHarness(t, o)
		c := l.planned(manifest, "m", 3)
		l.crash(c, 0)
		for range 2 {
			l.crash(c, 1)
		}
		var mu sync.Mutex
		at, kept := map[string]string{}, map[string]string{}
		m := &counting{shards: 3, item: func(_ context.Context, key string) error {
			mu.Lock()
			defer mu.Unlock()
			at[key], kept[key] = l.run("m", key[:1]+":a"), l.run("m", key[:1]+":r")
			return nil
		}}
		start(t, config(t, o), jobs{manifest: m})
		l.enqueue(manifest, asynqtask.JobRef{Job: "m"})
		result(t, l.ended("m", 20*time.Second), 3)
		mu.Lock()
		defer mu.Unlock()
		for key, want := range map[string][2]string{"0/5": {"", ""}, "1/0": {"1/0", ""}, "1/5": {"1/5", "1/4"}, "2/5": {"", ""}} {
			if got := [2]string{at[key], kept[key]}; got != want {
				t.Errorf("before %s it was at %q with %q kept, want %q", key, got[0], got[1], want)
			}
		}
	})
}

// An object at which two workers died alone goes on the error list, and the
// job on without it.
func TestObjectThatKillsWorkersIsLeftOut(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	c := l.planned(manifest, "m", 3)
	ref := asynqtask.ShardRef{Job: "m", Shard: 1}
	l.commit(l.startShard(ref), queue.Checkpoint{To: "1/3", Objects: 4, Bytes: 400, Budget: 1 << 20})
	for ref.Generation = range 2 {
		l.must(l.startShard(ref).MarkSuspect(t.Context(), "1/4"))
		l.crash(c, 1)
	}
	var mu sync.Mutex
	var touched []string
	m := &counting{shards: 3, item: func(_ context.Context, key string) error {
		mu.Lock()
		defer mu.Unlock()
		touched = append(touched, key)
		return nil
	}}
	start(t, config(t, o), jobs{manifest: m})
	l.enqueue(manifest, asynqtask.JobRef{Job: "m"})
	s := l.ended("m", 20*time.Second)
	if s.State != tasks.StateSucceeded || s.Progress.Objects != 30 || s.Progress.Failed != 4 || s.Progress.Codes["kills-worker"] != 1 {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
	mu.Lock()
	defer mu.Unlock()
	if slices.Contains(touched, "1/3") || slices.Contains(touched, "1/4") || !slices.Contains(touched, "1/5") {
		t.Errorf("touched %v", touched)
	}
	var killers []tasks.ObjectError
	for e, err := range l.store.Errors(t.Context(), "m") {
		l.must(err)
		if e.Code == "kills-worker" {
			killers = append(killers, e)
		}
	}
	if len(killers) != 1 || killers[0].Key != "1/4" || killers[0].Message == "" {
		t.Errorf("%+v", killers)
	}
}

// A worker that stops hands over what it has done of a shard; the next one
// goes on after it.
func TestDrainKeepsWhatWasDone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		l := newHarness(t, o)
		half := newGate()
		var items counts
		before := &counting{shards: 2, item: func(ctx context.Context, key string) error {
			items.add(key)
			if key[2:] != "5" {
				return nil
			}
			return half.pass(ctx)
		}}
		first := start(t, config(t, o), jobs{manifest: before})
		l.put(manifest, "m")
		half.waitHeld(t, 2)
		resumed := make(chan resumption, 10)
		after := &counting{shards: 2, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
			resumed <- resumption{time.Now(), s.After, retries(ctx)}
			return nil
		}, item: func(_ context.Context, key string) error { items.add(key); return nil }}
		conf := config(t, o)
		start(t, conf, jobs{manifest: after})
		stopped := time.Now()
		first.stop()
		result(t, l.ended("m", 20*time.Second), 2)
		for range 2 {
			r := <-resumed
			if r.retries != 0 || r.after != "0/4" && r.after != "1/4" {
				t.Errorf("resumed after %q, retry %d", r.after, r.retries)
			}
			if took := r.at.Sub(stopped); took > 3*time.Second {
				t.Errorf("the hand-over took %v", took)
			}
		}
		for _, key := range []string{"0/0", "0/4", "1/0", "1/4", "0/6", "1/9"} {
			if n := items.of(key); n != 1 {
				t.Errorf("%s was done %d times", key, n)
			}
		}
		if n := count(t, "shards_replaced_total", "kind", manifest.Kind(), conf.Registry); n != 0 {
			t.Errorf("%v shards were replaced", n)
		}
	})
}

type resumption struct {
	at      time.Time
	after   string
	retries int
}

// counts is how often something of each name happened.
type counts struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counts) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[name]++
}

func (c *counts) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[name]
}
