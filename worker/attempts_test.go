package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

func retries(ctx context.Context) int {
	n, _ := asynq.GetRetryCount(ctx)
	return n
}

// A bucket that asks for patience gets it: longer than a silent worker would
// be given. No attempt is used up, what was done is kept, and nobody takes
// the worker for dead.
func TestThrottledShardWaits(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	busy := &providers.Error{Op: "get", Key: "x", Kind: providers.Throttled, RetryAfter: 22 * time.Second}
	var runs atomic.Int32
	resumed := make(chan resumption, 10)
	m := &counting{shards: 2, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
		if s.Through == "1" {
			resumed <- resumption{time.Now(), s.After, retries(ctx)}
		}
		return nil
	}, item: func(_ context.Context, key string) error {
		if key == "1/5" && runs.Add(1) == 1 {
			return busy
		}
		return nil
	}}
	conf := config(t, o)
	start(t, conf, jobs{manifest: m})
	l.put(manifest, "m")
	result(t, l.ended("m", 40*time.Second), 2)
	first, second := <-resumed, <-resumed
	if waited := second.at.Sub(first.at); waited < 21*time.Second || second.after != "1/4" || second.retries != 0 {
		t.Errorf("after %v it went on after %q, retry %d", waited, second.after, second.retries)
	}
	if n := count(t, "shards_replaced_total", "kind", manifest.Kind(), conf.Registry); n != 0 {
		t.Errorf("%v shards were replaced", n)
	}
}

// What fails again and again fails the job, wherever it is. No panic ends the
// worker.
func TestAttemptsOfShardedJob(t *testing.T) {
	t.Parallel()
	away := &providers.Error{Op: "get", Key: "x", Kind: providers.Unavailable, Code: "503"}
	for name, c := range map[string]struct {
		sharded func(fail func() error) *counting
		fails   func() error
		kind    string
	}{
		"Work fails":  {workFails, func() error { return away }, "unavailable"},
		"Work panics": {workFails, func() error { panic("boom") }, "internal"},
		"Plan panics": {func(fail func() error) *counting {
			return &counting{shards: 3, plan: func(_ context.Context, shard string) error {
				if shard != "1" {
					return nil
				}
				return fail()
			}}
		}, func() error { panic("boom") }, "internal"},
		"Finish panics": {func(fail func() error) *counting {
			return &counting{shards: 3, finish: func(context.Context) error { return fail() }}
		}, func() error { panic("boom") }, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			l := newHarness(t, o)
			var tries atomic.Int32
			m := c.sharded(func() error { tries.Add(1); return c.fails() })
			var runs atomic.Int32
			start(t, config(t, o), jobs{manifest: m, verify: failing(&runs)})
			l.put(manifest, "m")
			s := l.ended("m", 50*time.Second)
			if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Kind != c.kind {
				t.Errorf("%+v, %+v", s, s.Failure)
			}
			k, err := tasks.Lookup(manifest.Kind())
			l.must(err)
			if n := int(tries.Load()); n != k.Policy.Attempts {
				t.Errorf("%d tries, want %d", n, k.Policy.Attempts)
			}
			l.put(verify, "next")
			if s := l.ended("next", 20*time.Second); s.State != tasks.StateSucceeded {
				t.Errorf("the next job: %+v", s)
			}
		})
	}
}

func workFails(fail func() error) *counting {
	return &counting{shards: 3, work: func(_ context.Context, _ job.Env, s job.Shard) error {
		if s.Through != "1" {
			return nil
		}
		return fail()
	}}
}

// A job past its deadline fails, whether it runs, or waited too long for a
// worker, and no object is touched in vain.
func TestDeadline(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	past, soon := tasks.Terms{Deadline: time.Now().Add(-time.Second)}, tasks.Terms{Deadline: time.Now().Add(3 * time.Second)}
	var runs atomic.Int32
	var work stuck
	deaf := func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
		runs.Add(1)
		return tasks.VerifyConnectionResult{OK: true}, nil
	}
	l.put(tasks.WithTerms(verify, past), "single-late")
	l.put(tasks.WithTerms(manifest, past), "sharded-late")
	l.put(tasks.WithTerms(manifest, soon), "sharded")
	m := &counting{shards: 3, work: func(ctx context.Context, env job.Env, _ job.Shard) error {
		if env.ID == "sharded-late" {
			return errors.New("a shard of a job past its deadline was begun")
		}
		return work.do(ctx)
	}}
	start(t, config(t, o), jobs{verify: deaf, manifest: m})
	for _, id := range []string{"single-late", "sharded-late", "sharded"} {
		s := l.ended(id, 20*time.Second)
		if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Kind != "timeout" || s.Failure.Fix == "" {
			t.Errorf("%s: %+v, %+v", id, s, s.Failure)
		}
		l.final(id, 0, tasks.EventFailed)
	}
	if runs.Load() != 0 {
		t.Error("a job past its deadline was begun")
	}
	work.ends(t, work.begun.Load())
}
