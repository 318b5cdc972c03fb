package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The error of a job decides how often it runs, and how it ends.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	denied := &providers.Error{
		Op: "list", Bucket: "b", Kind: providers.Denied, Code: "AccessDenied",
		Fix: "Grant s3:ListBucket.",
	}
	throttled := &providers.Error{
		Op: "list", Bucket: "b", Kind: providers.Throttled, RetryAfter: time.Millisecond,
	}
	unavailable := &providers.Error{
		Op: "list", Bucket: "b", Kind: providers.Unavailable, Detail: "connection reset",
	}
	for _, c := range []struct {
		name    string
		errs    []error
		runs    int32
		failure *tasks.Failure
	}{
		{"success", nil, 1, nil},
		{"denied ends the job", []error{denied}, 1, &tasks.Failure{
			Kind: "denied", Code: "AccessDenied",
			Message: "list bucket b: denied: AccessDenied",
			Fix:     "Grant s3:ListBucket.",
		}},
		{"throttling uses up no attempt", []error{throttled, throttled, throttled}, 4, nil},
		{"an outage is retried", []error{unavailable}, 2, nil},
		{"attempts are limited", []error{unavailable, unavailable, unavailable}, 2, &tasks.Failure{
			Kind:    "unavailable",
			Message: "list bucket b: unavailable: connection reset",
			Fix:     "Check that the worker reaches the endpoint; the cloud may be having trouble.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			var runs atomic.Int32
			startWorker(t, newConfig(t, o), testJobs{verify: failing(&runs, c.errs...)})
			cl := newClient(t, o)
			enqueue(t, cl, verify, "v")
			s := waitForJob(t, cl, "v", 30*time.Second)
			if runs.Load() != c.runs {
				t.Errorf("%d runs, want %d", runs.Load(), c.runs)
			}
			if (s.Failure == nil) != (c.failure == nil) || s.Failure != nil && *s.Failure != *c.failure {
				t.Errorf("failure %+v, want %+v", s.Failure, c.failure)
			}
		})
	}
}

// A panic ends the job as a defect, and not the worker: the next job
// runs.
func TestPanicEndsOnlyTheJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	var runs atomic.Int32
	run := func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
		switch runs.Add(1) {
		case 1:
			panic("boom")
		case 2: // in a goroutine, where an unguarded panic ends the process
			do := func(context.Context, int) (int, error) { panic("boom") }
			_, err := job.Each(ctx, []int{1}, 1, do)
			return nil, err
		}
		return tasks.VerifyConnectionResult{}, nil
	}
	startWorker(t, newConfig(t, o), testJobs{verify: run})
	c := newClient(t, o)
	enqueue(t, c, verify, "bad")
	if s := waitForJob(t, c, "bad", 30*time.Second); s.Failure == nil || s.Failure.Kind != "internal" {
		t.Errorf("failure %+v", s.Failure)
	}
	enqueue(t, c, verify, "good")
	if s := waitForJob(t, c, "good", 30*time.Second); s.State != tasks.StateSucceeded {
		t.Errorf("the next job: %+v", s)
	}
}

// One shard that can never succeed fails the job with its reason. The
// other shards are not done in vain.
func TestShardFailureFailsTheJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	m := &countingJob{shards: 500, work: func(_ context.Context, _ job.Env, s job.Shard) error {
		if s.Through != "5" {
			return nil
		}
		return &providers.Error{
			Op: "get", Bucket: "b", Key: "x", Kind: providers.Denied, Code: "AccessDenied",
			Fix: "Grant it.",
		}
	}}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	c := newClient(t, o)
	enqueue(t, c, manifest, "m")
	s := waitForJob(t, c, "m", 30*time.Second)
	if s.State != tasks.StateFailed || s.Failure == nil ||
		s.Failure.Code != "AccessDenied" || s.Failure.Fix != "Grant it." {
		t.Errorf("ended as %s: %+v", s.State, s.Failure)
	}
	if s.Progress.Shards == 500 {
		t.Error("all the other shards were done")
	}
}
