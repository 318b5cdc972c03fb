package reaper

import (
	"context"
	"errors"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/tracked"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

const (
	// queuedGrace is how long a job may be queued before its task is
	// looked up in asynq.
	queuedGrace = 10 * time.Second
	// maxCrashes is how often the worker of a sharded job may die while
	// shards run and nothing is committed, before the job fails. Usually
	// a shard is the reason, and careful runs find the object that kills
	// the workers.
	maxCrashes = 10
	// maxDeaths is how many workers may die while they run a job's own
	// code, before the job fails. From the death onlyCareful on, a death
	// counts only if the code ran carefully: apart from all others at
	// which workers died. Machines go away, and a process that dies has
	// many jobs, so nobody is to blame for the first deaths.
	maxDeaths   = 4
	onlyCareful = 3
)

// orphan is a job that may have no worker.
type orphan struct {
	reaper *Reaper
	kind   job.Kind
	id     string
	queue  string // of its task
	health queue.JobHealth
}

func newOrphan(
	ctx context.Context, r *Reaper, kind job.Kind, id string, health queue.JobHealth,
) (orphan, error) {
	name := health.Queue
	if name == "" { // an older version of this program wrote the record
		payload, err := r.records.Payload(ctx, id)
		if err != nil {
			return orphan{}, err
		}
		name = asynqtask.QueueOf(kind.Kind, payload)
	}
	return orphan{r, kind, id, name, health}, nil
}

// checkQueued looks for the task of a job that no worker has begun. Its
// producer may have died before it enqueued the task, Redis may have
// lost its last second, somebody may have deleted the task, or a worker
// may have died with it. The job then gets its task back. Only a task
// that somebody has archived cancels the job.
func (o orphan) checkQueued(ctx context.Context) (tracked.Look, error) {
	if o.health.Silent < queuedGrace {
		return tracked.Look{After: queuedGrace - o.health.Silent, Waits: true}, nil
	}
	ref := o.ref()
	state, err := o.reaper.config.Tasks.State(o.queue, ref.TaskID())
	switch {
	case err != nil:
		return tracked.Look{}, err
	case state == asynqtask.Archived:
		return tracked.Look{}, o.checkArchived(ctx, o.enqueue)
	case state == asynqtask.Gone:
		return tracked.Look{}, o.enqueue(ctx, ref)
	case state == asynqtask.Active && !o.reaper.config.Tasks.IsRunning(ref.TaskID()):
		return tracked.Look{}, o.takeOver(ctx)
	case state == asynqtask.Active:
		return tracked.Look{}, nil
	}
	return o.waiting(), nil
}

// waiting returns when to look again at a job whose task waits. That is
// not before the task may begin: until then only the task could be lost.
func (o orphan) waiting() tracked.Look {
	return tracked.Look{After: max(o.health.Wait, 0) + queuedGrace, Waits: true}
}

// checkSilent takes over a job whose coordinator sends no heartbeats,
// unless its task waits on the queue: after a hand-over a task goes to
// the end of the queue, and may wait there for a long time.
func (o orphan) checkSilent(ctx context.Context) (tracked.Look, error) {
	state, err := o.reaper.config.Tasks.State(o.queue, o.ref().TaskID())
	switch {
	case err != nil:
		return tracked.Look{}, err
	case state.Waiting():
		return o.waiting(), nil
	case state == asynqtask.Archived:
		takeOver := func(ctx context.Context, _ asynqtask.JobRef) error { return o.takeOver(ctx) }
		return tracked.Look{}, o.checkArchived(ctx, takeOver)
	}
	return tracked.Look{}, o.takeOver(ctx)
}

// checkArchived cancels a job whose waiting task somebody has archived.
// If asynq did it, the job goes on.
func (o orphan) checkArchived(
	ctx context.Context, goOn func(context.Context, asynqtask.JobRef) error,
) error {
	shelved, err := o.reaper.config.Tasks.IsShelved(o.queue, o.ref().TaskID())
	if err != nil {
		return err
	}
	if !shelved {
		return goOn(ctx, o.ref())
	}
	o.reaper.config.Log.Info("job cancelled: its task was archived", "job", o.id)
	_, err = o.reaper.config.Store.Cancel(ctx, o.id, o.kind.Policy.Keep)
	if err == nil {
		o.countEnd(ctx, tasks.StateCancelled)
	}
	return err
}

// takeOver gives the job to a new generation of its task.
func (o orphan) takeOver(ctx context.Context) error {
	careful := 0
	if o.ranCode() {
		careful = onlyCareful
	}
	crashes, err := o.reaper.records.TakeOver(ctx, o.id, o.health, careful)
	if errors.Is(err, queue.ErrAlive) {
		return nil
	}
	if err != nil {
		return err
	}
	o.reaper.config.Log.Warn("job taken over: its worker sends no heartbeats", "job", o.id,
		"seconds", o.health.Silent.Round(time.Second).Seconds(), "crashes", crashes)
	o.reaper.config.Metrics.JobTakenOver(o.kind.Name)
	ref := o.ref()
	ref.Generation++
	switch {
	case o.ranCode() && crashes >= maxDeaths:
		return o.giveUp(ctx, ref, killsWorker(crashes))
	case !o.ranCode() && crashes > maxCrashes:
		return o.giveUp(ctx, ref, workersDied(crashes))
	}
	return o.enqueue(ctx, ref)
}

// ranCode reports whether the job's coordinator ran code of the job: a
// single job, or the planning or finishing of a sharded one. Otherwise
// it supervised shards.
func (o orphan) ranCode() bool {
	return o.kind.Sharded == nil || o.health.State != tasks.StateRunning
}

// ref names the task that carries the job.
func (o orphan) ref() asynqtask.JobRef {
	return asynqtask.JobRef{Job: o.id, Generation: o.health.Generation}
}

func (o orphan) enqueue(ctx context.Context, ref asynqtask.JobRef) error {
	payload, err := o.reaper.records.Payload(ctx, o.id)
	if err != nil {
		return err
	}
	return o.reaper.config.Tasks.EnqueueJob(ctx, asynqtask.Job{
		Kind:    o.kind.Kind,
		Ref:     ref,
		Queue:   o.queue,
		Payload: payload,
		Wait:    o.health.Wait,
	})
}

// countEnd counts the job as ended in some state.
func (o orphan) countEnd(ctx context.Context, s tasks.State) {
	payload, _ := o.reaper.records.Payload(ctx, o.id) // without it only the kind is known
	labels := journal.Read(o.kind, payload)
	o.reaper.config.Metrics.JobEnded(labels, string(s), 0)
}

// giveUp ends a job that kills its workers.
func (o orphan) giveUp(ctx context.Context, ref asynqtask.JobRef, why tasks.Failure) error {
	lease, err := o.reaper.config.Store.Claim(ctx, queue.ClaimRequest{
		Ref:   ref,
		Kind:  o.kind.Name,
		Queue: o.queue,
		First: tasks.StateRunning,
	})
	if err != nil || lease.Over {
		return err
	}
	err = lease.Publish(ctx, queue.End{Keep: o.kind.Policy.Keep, Failure: &why})
	if err == nil {
		o.countEnd(ctx, tasks.StateFailed)
	}
	return err
}
