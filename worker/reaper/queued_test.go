package reaper

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// queued makes the record of a job that was enqueued a minute ago, and
// whose task must wait.
func (f fixture) queued(id string, wait time.Duration) asynqtask.Job {
	f.t.Helper()
	kind := f.config.Kinds["build-manifest"].Kind
	_, err := f.store.Create(f.t.Context(), queue.NewJob{
		ID: id, Kind: kind.Name, Payload: []byte("{}"), Queue: tasks.QueueJobs, Wait: wait,
	})
	if err == nil {
		err = f.redis("HSET", "stevedore:{"+id+"}:job", "beat", time.Now().Add(-time.Minute).UnixMilli())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return asynqtask.Job{Kind: kind, Ref: asynqtask.JobRef{Job: id}, Queue: tasks.QueueJobs, Payload: []byte("{}"), Wait: wait}
}

func (f fixture) mustCheck(id string) {
	f.t.Helper()
	if err := f.lookAt(f.t.Context(), id, true); err != nil {
		f.t.Fatal(err)
	}
}

// A job whose task was deleted gets it back, and not before its time.
func TestDeletedTaskComesBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "build-manifest")
	f.queued("now", 0)
	f.queued("later", time.Hour)
	f.mustCheck("now")
	f.mustCheck("later")
	if state := f.state(tasks.QueueJobs, "now"); state != asynqtask.Pending {
		t.Errorf("the task of the job that may begin is %s", state)
	}
	info, err := f.inspector.GetTaskInfo(tasks.QueueJobs, "later")
	if err != nil || info.State != asynq.TaskStateScheduled {
		t.Fatalf("%+v, %v", info, err)
	}
	if in := time.Until(info.NextProcessAt); in < 59*time.Minute || in > time.Hour+2*time.Second {
		t.Errorf("the delayed job begins in %v", in)
	}
}

// A person who archives a waiting task wants the job not to run.
func TestArchivedTaskCancelsTheJob(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "build-manifest")
	for id, wait := range map[string]time.Duration{"pending": 0, "scheduled": time.Hour} {
		if err := f.tasks.EnqueueJob(t.Context(), f.queued(id, wait)); err != nil {
			t.Fatal(err)
		}
	}
	// A coordinator has handed this one over.
	f.claim("running", "build-manifest", tasks.QueueJobs)
	if err := f.tasks.EnqueueJob(t.Context(), asynqtask.Job{
		Kind: f.config.Kinds["build-manifest"].Kind, Ref: asynqtask.JobRef{Job: "running"}, Queue: tasks.QueueJobs,
	}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"pending", "scheduled", "running"} {
		if err := f.inspector.ArchiveTask(tasks.QueueJobs, id); err != nil {
			t.Fatal(err)
		}
		f.silentCheck(id, true)
		if s, err := f.store.Status(t.Context(), id); err != nil || s.State != tasks.StateCancelled {
			t.Errorf("%s: %+v, %v", id, s, err)
		}
	}
	if f.counts.ended != 3 || f.counts.takenOver != 0 {
		t.Errorf("%d jobs ended, %d were taken over", f.counts.ended, f.counts.takenOver)
	}
}

// A delayed job whose task waits is not looked at again before its
// time.
func TestDelayedJobIsLeftAloneUntilItsTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "build-manifest")
	j := f.queued("later", time.Hour)
	if err := f.tasks.EnqueueJob(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	age := func(by time.Duration) {
		if err := f.redis("ZINCRBY", "stevedore:active", -by.Milliseconds(), "later"); err != nil {
			t.Fatal(err)
		}
	}
	age(time.Minute)
	if jobs := f.unattended(t.Context()); len(jobs) != 1 {
		t.Fatalf("unattended are %v", jobs)
	}
	f.mustCheck("later")
	age(59 * time.Minute)
	if jobs := f.unattended(t.Context()); len(jobs) != 0 {
		t.Errorf("after 59 minutes %v are unattended", jobs)
	}
	age(2 * time.Minute)
	if jobs := f.unattended(t.Context()); len(jobs) != 1 {
		t.Errorf("after 61 minutes %v are unattended", jobs)
	}
}
