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
)

const (
	roundEvery = 3 * time.Second
	roundMost  = 100
	// limbo is how long a job may be queued before its task is looked for.
	limbo = 10 * time.Second
	// deathsMost is how often the worker of a job may die without anything having been achieved, before the job fails.
	deathsMost = 10
)

// watchman looks after the jobs of all workers: it puts a new task in the place of one whose worker died or that asynq
// has lost, and sends the last events that somebody died over. Every worker has one; they share the rounds.
func (w *Worker) watchman(ctx context.Context) {
	blind := time.Now()
	var seen time.Time
	for {
		pause := roundEvery*3/4 + rand.N(roundEvery/2)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		jobs, err := w.beats.Due(ctx, roundEvery, roundMost)
		if err != nil {
			w.log.Debug("no round", "error", err)
			continue
		}
		if time.Since(seen) > 2*roundEvery { // Redis was away: nobody could beat
			blind = time.Now().Add(grace)
		}
		seen = time.Now()
		for _, id := range jobs {
			if err := w.lookAfter(ctx, id, time.Now().Before(blind)); err != nil && ctx.Err() == nil {
				w.log.Warn("could not look after a job", "job", id, "error", err)
			}
		}
	}
}

// lookAfter looks after one job. blind says that silence does not mean death now.
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
	j, err := decode(e, p.Payload)
	if err != nil {
		return nil //nolint:nilerr // its worker will tell
	}
	n := night{w, e, id, p, j.JobTerms().Priority}
	if p.State == tasks.StateQueued {
		return n.queued(ctx)
	}
	if blind || p.Silent < staleAfter {
		return nil
	}
	return n.takeOver(ctx)
}

// night is a job found without anybody to look after it.
type night struct {
	*Worker
	e        entry
	id       string
	pulse    queue.Pulse
	priority tasks.Priority
}

// queued looks for the task of a job that nobody has begun. Its producer may have died before it enqueued it, Redis may
// have lost its last second, or a worker may have died with it.
func (n night) queued(ctx context.Context) error {
	if time.Since(n.pulse.Created) < limbo {
		return nil
	}
	ref := queue.JobRef{Job: n.id, Generation: n.pulse.Generation}
	name := n.priority.Queue(n.e.Policy.Queue)
	info, err := n.inspector.GetTaskInfo(name, ref.TaskID())
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return n.enqueue(ctx, ref)
	case err != nil:
		return queue.Wrap(err, "ask for job %s", n.id)
	case info.State == asynq.TaskStateActive && !n.working(ref.TaskID()):
		return n.takeOver(ctx)
	}
	return nil
}

// working reports whether a living worker says that it runs a task. Workers say so every 5 seconds, for 10 seconds.
func (n night) working(taskID string) bool {
	servers, err := n.inspector.Servers()
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
func (n night) takeOver(ctx context.Context) error {
	deaths, err := n.beats.TakeOver(ctx, n.id, n.pulse)
	if errors.Is(err, queue.ErrAlive) {
		return nil
	}
	if err != nil {
		return err
	}
	n.log.Warn("job taken over: its worker is not heard of", "job", n.id, "silent", n.pulse.Silent.Round(time.Second), "deaths", deaths)
	n.metrics.takenOver.WithLabelValues(n.e.Name).Inc()
	ref := queue.JobRef{Job: n.id, Generation: n.pulse.Generation + 1}
	if most := n.deaths(); deaths > most {
		return n.giveUp(ctx, ref, deaths)
	}
	return n.enqueue(ctx, ref)
}

// deaths is how many are too many. A sharded job mostly dies of a shard, which has a way of its own to find the culprit.
func (n night) deaths() int {
	if n.e.single != nil {
		return n.e.Policy.Attempts
	}
	return deathsMost
}

func (n night) enqueue(ctx context.Context, ref queue.JobRef) error {
	_, err := n.client.EnqueueContext(ctx, queue.JobTask(n.e.Kind, ref, n.pulse.Payload, n.priority))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return queue.Wrap(err, "enqueue job %s", n.id)
}

// giveUp ends a job that kills its workers.
func (n night) giveUp(ctx context.Context, ref queue.JobRef, deaths int) error {
	claim, err := n.beats.Begin(ctx, ref, n.e.Name, n.pulse.Payload, tasks.StateRunning)
	if err != nil || claim.Over {
		return err
	}
	return n.beats.Publish(ctx, claim, queue.End{Keep: n.e.Policy.Keep, Failure: &tasks.Failure{
		Kind: "internal", Code: "WorkerDied", Message: fmt.Sprintf("%d workers died while they ran this job", deaths),
		Fix: "Look at why the workers' processes ended: most often they have too little memory. Then enqueue the job anew.",
	}})
}
