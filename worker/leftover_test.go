package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// deafStep is a step of a job whose code does not obey its context.
type deafStep struct {
	job  tasks.Job
	pool string
	jobs func(code func(context.Context) error) testJobs
}

func deafSteps() map[string]deafStep {
	return map[string]deafStep{
		"single": {verify, "verify", func(code func(context.Context) error) testJobs {
			return testJobs{verify: func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
				return tasks.VerifyConnectionResult{OK: true}, code(ctx)
			}}
		}},
		"plan": {manifest, "jobs", func(code func(context.Context) error) testJobs {
			return testJobs{manifest: &countingJob{shards: 1, plan: func(ctx context.Context, _ string) error {
				return code(ctx)
			}}}
		}},
		"shard": {manifest, "shards", func(code func(context.Context) error) testJobs {
			return testJobs{manifest: &countingJob{shards: 1, item: func(ctx context.Context, key string) error {
				if key != "0/5" {
					return nil
				}
				return code(ctx)
			}}}
		}},
		"finish": {manifest, "jobs", func(code func(context.Context) error) testJobs {
			return testJobs{manifest: &countingJob{shards: 1, finish: code}}
		}},
	}
}

// deaf is code that ends when the test says so, and not before.
type deaf struct{ begun, end chan struct{} }

func (d deaf) run(context.Context) error {
	d.begun <- struct{}{}
	<-d.end
	return nil
}

// deafTest is a worker that runs such a step.
type deafTest struct {
	*harness
	deafStep
	deaf
	redis  redisconn.Options
	config worker.Config
	worker *process
}

// onDeafSteps runs a test on each step, from when its code runs. Then
// the code ends, and its slot must become free.
func onDeafSteps(t *testing.T, terms func() tasks.Terms, test func(*testing.T, deafTest)) {
	t.Helper()
	for name, step := range deafSteps() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			code := deaf{make(chan struct{}, 100), make(chan struct{})}
			c := newConfig(t, o)
			d := deafTest{newHarness(t, o), step, code, o, c, startWorker(t, c, step.jobs(code.run))}
			d.submit(tasks.WithTerms(step.job, terms()), "j")
			receive(t, code.begun, "the code runs")
			test(t, d)
			close(code.end)
			queuetest.Eventually(t, 10*time.Second, "the slot is free", func() bool {
				return d.slots("slots_busy") == 0 && d.slots("slots_leftover") == 0
			})
		})
	}
}

func (d deafTest) slots(name string) float64 {
	d.t.Helper()
	return metric(d.t, name, "pool", d.pool, d.config.Registry)
}

// waitLeft waits until the code is a leftover, which keeps its slot. It
// must be one within two seconds.
func (d deafTest) waitLeft() {
	d.t.Helper()
	queuetest.Eventually(d.t, 2*time.Second*leeway, "the code is a leftover", func() bool {
		return d.slots("slots_leftover") == 1
	})
	if n := d.slots("slots_busy"); n != 1 {
		d.t.Errorf("%v slots are busy", n)
	}
}

func noTerms() tasks.Terms { return tasks.Terms{} }

// A cancelled job ends although its code goes on.
func TestCancelOfDeafCode(t *testing.T) {
	t.Parallel()
	onDeafSteps(t, noTerms, func(t *testing.T, d deafTest) {
		d.cancel("j")
		d.waitLeft()
		waitCancelCounted(t, d.config.Registry)
		d.checkEndEvent("j", 0, tasks.EventCancelled)
	})
}

// A job fails at its deadline although its code goes on.
func TestDeadlineOfDeafCode(t *testing.T) {
	t.Parallel()
	deadline := func() tasks.Terms { return tasks.Terms{Deadline: time.Now().Add(3 * time.Second)} }
	onDeafSteps(t, deadline, func(t *testing.T, d deafTest) {
		s := d.waitForEnd("j", 5*time.Second*leeway)
		if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Kind != "timeout" {
			t.Errorf("%+v, %+v", s, s.Failure)
		}
		d.waitLeft()
	})
}

// A worker that stops does not wait for such code. Another worker
// carries the job on at once, and no attempt is used up.
func TestDrainOfDeafCode(t *testing.T) {
	t.Parallel()
	onDeafSteps(t, noTerms, func(t *testing.T, d deafTest) {
		began := time.Now()
		d.worker.stop()
		if took := time.Since(began); took > 2*time.Second*leeway {
			t.Errorf("the drain took %v", took)
		}
		after := newConfig(t, d.redis)
		startWorker(t, after, d.jobs(func(context.Context) error { return nil }))
		s := d.waitForEnd("j", 3*time.Second*leeway)
		if s.State != tasks.StateSucceeded {
			t.Errorf("%+v, %+v", s, s.Failure)
		}
		if n := metric(t, "attempts_total", "outcome", "retry", after.Registry); n != 0 {
			t.Errorf("%v attempts were used up", n)
		}
	})
}
