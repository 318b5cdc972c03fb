package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

const (
	roundEvery = 3 * time.Second // give or take a quarter, so that the workers take turns
	roundLeast = roundEvery * 3 / 4
	roundMost  = 100
	// limbo is how long a job may be queued before its task is looked for.
	limbo = 10 * time.Second
	// deathsMost is how often the worker of a job may die without anything
	// having been achieved, before the job fails.
	deathsMost = 10
)

// watchman looks after the jobs of all workers: it puts a new task in the
// place of one whose worker died or that asynq has lost, and sends the last
// events that somebody died over. Every worker has one; they share the
// rounds.
func (w *Worker) watchman(ctx context.Context) {
	seen := time.Now()
	blind := seen.Add(grace)
	for {
		pause := roundLeast + rand.N(roundEvery/2)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		jobs, err := w.beats.Due(ctx, roundLeast, roundMost)
		if err != nil {
			w.log.Debug("no round", "error", err)
			continue
		}
		if time.Since(seen) > 2*roundEvery { // Redis was away: nobody could beat
			blind = time.Now().Add(grace)
		}
		if w.round(ctx, jobs, blind) {
			seen = time.Now() // and not before: a long round is no outage
		}
	}
}

// round looks after some jobs, and reports whether all went well.
func (w *Worker) round(ctx context.Context, jobs []string, blind time.Time) (well bool) {
	well = true
	for _, id := range jobs {
		if err := w.lookAfter(ctx, id, time.Now().Before(blind)); err != nil && ctx.Err() == nil {
			well = false
			w.log.Warn("could not look after a job", "job", id, "error", err)
		}
	}
	return well
}

// lookAfter looks after one job. blind says that silence does not mean death
// now.
func (w *Worker) lookAfter(ctx context.Context, id string, blind bool) error {
	p, err := w.beats.Pulse(ctx, id)
	switch {
	case errors.Is(err, queue.ErrNoJob):
		return w.beats.Untrack(ctx, id)
	case err != nil:
		return err
	case p.State.Final():
		return w.beats.Flush(ctx, id)
	}
	e, ok := w.entries[p.Kind]
	if !ok {
		return nil // another version's
	}
	o := orphan{w, e, id, p, priorityOf(e, p.Payload)}
	if p.State == tasks.StateQueued {
		return o.queued(ctx)
	}
	if blind || p.Silent < staleAfter {
		return nil
	}
	return o.silent(ctx)
}

// priorityOf is a payload's priority. One that cannot be read has none: the
// job's worker will tell what is wrong with it.
func priorityOf(e entry, payload []byte) tasks.Priority {
	j, err := decode(e, payload)
	if err != nil {
		return tasks.PriorityNormal
	}
	return j.JobTerms().Priority
}

// orphan is a job that nobody may be looking after.
type orphan struct {
	*Worker
	e        entry
	id       string
	pulse    queue.Pulse
	priority tasks.Priority
}

// queued looks for the task of a job that nobody has begun. Its producer may
// have died before it enqueued it, Redis may have lost its last second, or a
// worker may have died with it.
func (o orphan) queued(ctx context.Context) error {
	if time.Since(o.pulse.Created) < limbo {
		return nil
	}
	ref, state, err := o.task()
	switch {
	case err != nil:
		return err
	case state == gone:
		return o.enqueue(ctx, ref)
	case state == asynq.TaskStateActive && !o.working(ref.TaskID()):
		return o.takeOver(ctx)
	}
	return nil
}

// silent takes over a job that was begun and whose coordinator is not heard
// of, unless its task waits: one that was handed over goes to the end of the
// queue, and may have to wait there for long.
func (o orphan) silent(ctx context.Context) error {
	_, state, err := o.task()
	if err != nil || waiting(state) {
		return err
	}
	return o.takeOver(ctx)
}

// task is the task that carries the job.
func (o orphan) task() (queue.JobRef, asynq.TaskState, error) {
	ref := queue.JobRef{Job: o.id, Generation: o.pulse.Generation}
	state, err := o.taskState(o.priority.Queue(o.e.Policy.Queue), ref.TaskID())
	return ref, state, err
}

// gone is the state of a task that asynq does not have.
const gone = asynq.TaskState(0)

// taskState asks asynq about a task.
func (w *Worker) taskState(name, id string) (asynq.TaskState, error) {
	info, err := w.inspector.GetTaskInfo(name, id)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return gone, nil
	case err != nil:
		return gone, redisconn.Wrap(err, "ask for task %s", id)
	}
	return info.State, nil
}

// waiting reports whether a worker will take a task in this state by itself.
func waiting(s asynq.TaskState) bool {
	return s == asynq.TaskStatePending || s == asynq.TaskStateRetry || s == asynq.TaskStateScheduled
}

// working reports whether a living worker says that it runs a task. Workers
// say so every 5 seconds, for 10 seconds.
func (o orphan) working(taskID string) bool {
	servers, err := o.inspector.Servers()
	for _, s := range servers {
		for _, t := range s.ActiveWorkers {
			if t.TaskID == taskID {
				return true
			}
		}
	}
	return err != nil
}

// takeOver gives the job to a new generation of its task.
func (o orphan) takeOver(ctx context.Context) error {
	deaths, err := o.beats.TakeOver(ctx, o.id, o.pulse)
	if errors.Is(err, queue.ErrAlive) {
		return nil
	}
	if err != nil {
		return err
	}
	o.log.Warn("job taken over: its worker is not heard of", "job", o.id, "silent", o.pulse.Silent.Round(time.Second), "deaths", deaths)
	o.metrics.takenOver.WithLabelValues(o.e.Name).Inc()
	ref := queue.JobRef{Job: o.id, Generation: o.pulse.Generation + 1}
	if most := o.deaths(); deaths > most {
		return o.giveUp(ctx, ref, deaths)
	}
	return o.enqueue(ctx, ref)
}

// deaths is how many are too many. A sharded job mostly dies of a shard,
// which has a way of its own to find the culprit.
func (o orphan) deaths() int {
	if o.e.single != nil {
		return o.e.Policy.Attempts
	}
	return deathsMost
}

func (o orphan) enqueue(ctx context.Context, ref queue.JobRef) error {
	_, err := o.client.EnqueueContext(ctx, queue.NewJobTask(o.e.Kind, ref, o.pulse.Payload, o.priority))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return redisconn.Wrap(err, "enqueue job %s", o.id)
}

// giveUp ends a job that kills its workers.
func (o orphan) giveUp(ctx context.Context, ref queue.JobRef, deaths int) error {
	claim, err := o.beats.Begin(ctx, ref, o.e.Name, o.pulse.Payload, tasks.StateRunning)
	if err != nil || claim.Over {
		return err
	}
	err = o.beats.Publish(ctx, claim, queue.End{Keep: o.e.Policy.Keep, Failure: &tasks.Failure{
		Kind: "internal", Code: "WorkerDied", Message: fmt.Sprintf("%d workers died while they ran this job", deaths),
		Fix: "Look at why the workers' processes ended: most often they have too little memory. Then enqueue the job anew.",
	}})
	if err == nil {
		o.metrics.jobs.WithLabelValues(o.e.Name, string(tasks.StateFailed)).Inc()
	}
	return err
}
