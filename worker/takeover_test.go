package worker_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// dies lets a job's coordinator die so often.
func (l *harness) dies(id string, times int) {
	l.t.Helper()
	for range times {
		health, err := l.store.Reaper().Inspect(l.t.Context(), id)
		l.must(err)
		_, err = l.store.Reaper().TakeOver(l.t.Context(), id, health)
		l.must(err)
	}
}

// Jobs are found in every way that a death can leave them, by one worker, and
// each is brought to its end.
func TestReaper(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	var runs atomic.Int32
	held := newGate()
	m := &counting{shards: 3, work: func(ctx context.Context, env job.Env, _ job.Shard) error {
		if env.ID != "running" {
			return nil
		}
		return held.pass(ctx)
	}}
	// The coordinator died with its shards under way, and its task with it.
	l.planned(manifest, "running", 3)
	// A producer died between record and task.
	l.record(verify, "unsent")
	// Workers died of these again and again; of the second, only once too
	// few.
	l.planned(manifest, "deadly", 1)
	l.dies("deadly", 10)
	l.claim(verify, "deadly-single", tasks.StateRunning)
	l.dies("deadly-single", 2)
	l.claim(verify, "single", tasks.StateRunning)
	l.dies("single", 1)
	// This one was handed over, and waits for its turn in a long queue.
	l.planned(manifest, "waiting", 1)
	l.enqueue(manifest, asynqtask.JobRef{Job: "waiting"}, asynq.ProcessIn(time.Hour))
	for _, id := range []string{"running", "deadly", "deadly-single", "single", "waiting"} {
		l.silence(id)
	}
	l.must(l.redis.HSet(t.Context(), "stevedore:{unsent}:job", "created", time.Now().Add(-time.Minute).UnixMilli()).Err())

	conf := config(t, o)
	start(t, conf, jobs{manifest: m, verify: failing(&runs)})
	held.waitHeld(t, 2)
	oldTaskDoesNothing(t, l, "running")
	close(held.open)
	result(t, l.ended("running", 20*time.Second), 3)
	for id, state := range map[string]tasks.State{
		"unsent": tasks.StateSucceeded, "single": tasks.StateSucceeded, "deadly": tasks.StateFailed, "deadly-single": tasks.StateFailed,
	} {
		s := l.ended(id, 20*time.Second)
		if s.State != state {
			t.Errorf("%s: %+v, %+v", id, s, s.Failure)
		}
		if state == tasks.StateFailed && (s.Failure == nil || s.Failure.Code != "WorkerDied" || s.Failure.Fix == "") {
			t.Errorf("%s: %+v", id, s.Failure)
		}
		l.final(id, 0, tasks.EventType(state))
	}
	if gen, crashes := l.field("waiting", "gen"), l.field("waiting", "crashes"); gen != "" || crashes != "" {
		t.Errorf("the one that waits: generation %q, crashes %q", gen, crashes)
	}
	if runs.Load() != 2 {
		t.Errorf("%d runs of the single jobs", runs.Load())
	}
	queuetest.Eventually(t, 15*time.Second, "both failures are counted", func() bool {
		return count(t, "jobs_finished_total", "outcome", "failed", conf.Registry) == 2
	})
}

// oldTaskDoesNothing has asynq run the first task of a job that a later one
// carries, as its recoverer does after a minute.
func oldTaskDoesNothing(t *testing.T, l *harness, id string) {
	t.Helper()
	epoch := l.field(id, "epoch")
	l.enqueue(manifest, asynqtask.JobRef{Job: id})
	l.taskIs(tasks.QueueJobs, id, 10*time.Second, asynq.TaskStateCompleted)
	if now := l.field(id, "epoch"); now != epoch {
		t.Errorf("the old task took the job: epoch %s became %s", epoch, now)
	}
}

// A worker died when asynq had given it a job's task and it had not begun;
// the lease is lost too, so asynq never looks again.
func TestOrphanOfQueuedJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	l.put(verify, "v")
	l.orphan(tasks.QueueVerify, "v")
	l.must(l.redis.HSet(t.Context(), "stevedore:{v}:job", "created", time.Now().Add(-time.Minute).UnixMilli()).Err())
	var runs atomic.Int32
	start(t, config(t, o), jobs{verify: failing(&runs)})
	if s := l.ended("v", 20*time.Second); s.State != tasks.StateSucceeded || runs.Load() != 1 {
		t.Errorf("%+v after %d runs", s, runs.Load())
	}
}

// A coordinator whose process lives but is not heard of is fenced: the job
// goes on elsewhere within half a minute.
func TestSilentCoordinatorIsReplaced(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	h := hang(t, o, tasks.QueueJobs, func(ctx context.Context, task *asynq.Task) {
		_, err := l.store.Claim(ctx, queue.ClaimRequest{
			Ref:     asynqtask.JobRef{Job: "m"},
			Kind:    manifest.Kind(),
			Payload: task.Payload(),
			Queue:   tasks.QueueJobs,
			First:   tasks.StatePlanning,
		})
		if err != nil {
			t.Error(err)
		}
	})
	l.put(manifest, "m")
	<-h.taken
	from := time.Now()
	m := &counting{shards: 3}
	start(t, config(t, o), jobs{manifest: m})
	result(t, l.ended("m", 40*time.Second), 3)
	if took := time.Since(from); took > 38*time.Second {
		t.Errorf("it took %v", took)
	}
	h.wake()
	l.taskIs(tasks.QueueJobs, "m", 10*time.Second, asynq.TaskStateCompleted)
	for i := range 3 {
		if n := m.times(i); n != 1 {
			t.Errorf("shard %d was done %d times", i, n)
		}
	}
	if l.final("m", 0, tasks.EventSucceeded) != 1 {
		t.Error(fmt.Sprint("events: ", l.events("m")))
	}
}
