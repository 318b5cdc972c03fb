package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// A shard waits as long as a bucket asks it to, even longer than a
// silent worker may. No attempt is used up, the work that was done is
// committed, and no worker counts as crashed.
func TestThrottledShardWaits(t *testing.T) {
	t.Parallel()
	slow(t)
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	throttled := &providers.Error{
		Op: "get", Key: "x", Kind: providers.Throttled, RetryAfter: 22 * time.Second,
	}
	var runs atomic.Int32
	resumed := make(chan resumption, 10)
	m := &countingJob{
		shards: 2,
		work: func(ctx context.Context, _ job.Env, s job.Shard) error {
			if s.Through == "1" {
				resumed <- resumedNow(ctx, s.After)
			}
			return nil
		},
		item: func(_ context.Context, key string) error {
			if key == "1/5" && runs.Add(1) == 1 {
				return throttled
			}
			return nil
		},
	}
	conf := newConfig(t, o)
	startWorker(t, conf, testJobs{manifest: m})
	h.submit(manifest, "m")
	checkResult(t, h.waitForEnd("m", 40*time.Second), 2)
	first := receive(t, resumed, "the shard runs")
	second := receive(t, resumed, "the shard runs again")
	waited := second.at.Sub(first.at)
	if waited < 21*time.Second || second.after != "1/4" || second.retries != 0 {
		t.Errorf("after %v it continued after %q, retry %d", waited, second.after, second.retries)
	}
	if n := metric(t, "shards_replaced_total", "kind", manifest.Kind(), conf.Registry); n != 0 {
		t.Errorf("%v shards were replaced", n)
	}
}

// An error or a panic that comes again and again fails the job,
// wherever it happens, when the attempts are used up. It does not end
// the worker.
func TestAttemptsOfShardedJob(t *testing.T) {
	t.Parallel()
	slow(t)
	unavailable := &providers.Error{Op: "get", Key: "x", Kind: providers.Unavailable, Code: "503"}
	fail := func() error { return unavailable }
	boom := func() error { panic("boom") }
	inPlan := func(fail func() error) *countingJob {
		return &countingJob{shards: 3, plan: func(_ context.Context, shard string) error {
			if shard != "1" {
				return nil
			}
			return fail()
		}}
	}
	inWork := func(fail func() error) *countingJob {
		return &countingJob{shards: 3, work: func(_ context.Context, _ job.Env, s job.Shard) error {
			if s.Through != "1" {
				return nil
			}
			return fail()
		}}
	}
	inFinish := func(fail func() error) *countingJob {
		return &countingJob{shards: 3, finish: func(context.Context) error { return fail() }}
	}
	for _, c := range []struct {
		name  string
		job   func(fail func() error) *countingJob
		fails func() error
		kind  string
	}{
		{"Work fails", inWork, fail, "unavailable"},
		{"Work panics", inWork, boom, "internal"},
		{"Plan panics", inPlan, boom, "internal"},
		{"Finish panics", inFinish, boom, "internal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			h := newHarness(t, o)
			var attempts, runs atomic.Int32
			m := c.job(func() error {
				attempts.Add(1)
				return c.fails()
			})
			startWorker(t, newConfig(t, o), testJobs{manifest: m, verify: failing(&runs)})
			h.submit(manifest, "m")
			s := h.waitForEnd("m", 50*time.Second)
			if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Kind != c.kind {
				t.Errorf("%+v, %+v", s, s.Failure)
			}
			k, err := tasks.Lookup(manifest.Kind())
			h.must(err)
			if n := int(attempts.Load()); n != k.Policy.Attempts {
				t.Errorf("%d attempts, want %d", n, k.Policy.Attempts)
			}
			h.submit(verify, "next")
			if s := h.waitForEnd("next", 20*time.Second); s.State != tasks.StateSucceeded {
				t.Errorf("the next job: %+v", s)
			}
		})
	}
}

// A job past its deadline fails, also if it waited too long for a
// worker. No object is touched in vain.
func TestDeadline(t *testing.T) {
	t.Parallel()
	slow(t)
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	past := tasks.Terms{Deadline: time.Now().Add(-time.Second)}
	soon := tasks.Terms{Deadline: time.Now().Add(3 * time.Second)}
	h.submit(tasks.WithTerms(verify, past), "single-late")
	h.submit(tasks.WithTerms(manifest, past), "sharded-late")
	h.submit(tasks.WithTerms(manifest, soon), "sharded")
	var runs atomic.Int32
	var work endlessWork
	m := &countingJob{shards: 3, work: func(ctx context.Context, env job.Env, _ job.Shard) error {
		if env.ID == "sharded-late" {
			return errors.New("a shard of a job past its deadline was begun")
		}
		return work.do(ctx)
	}}
	startWorker(t, newConfig(t, o), testJobs{verify: failing(&runs), manifest: m})
	for _, id := range []string{"single-late", "sharded-late", "sharded"} {
		s := h.waitForEnd(id, 20*time.Second)
		if s.State != tasks.StateFailed || s.Failure == nil ||
			s.Failure.Kind != "timeout" || s.Failure.Fix == "" {
			t.Errorf("%s: %+v, %+v", id, s, s.Failure)
		}
		h.checkEndEvent(id, 0, tasks.EventFailed)
	}
	if runs.Load() != 0 {
		t.Error("a job past its deadline was begun")
	}
	work.waitEnded(t, work.begun.Load())
}

// A job that waits for its next attempt fails at its deadline, and not
// at the end of the pause.
func TestDeadlineDuringAPause(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	var runs atomic.Int32
	throttled := &providers.Error{Op: "list", Kind: providers.Throttled, RetryAfter: time.Hour}
	startWorker(t, newConfig(t, o), testJobs{verify: failing(&runs, throttled, throttled)})
	soon := tasks.Terms{Deadline: time.Now().Add(3 * time.Second)}
	h.submit(tasks.WithTerms(verify, soon), "v")
	s := h.waitForEnd("v", 60*time.Second)
	if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Kind != "timeout" {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
	if runs.Load() != 1 {
		t.Errorf("%d runs", runs.Load())
	}
}
