// Package reaper finds jobs that no worker takes care of, and gives
// them to one.
//
// A job is orphaned when its producer died before it enqueued the task,
// when Redis or asynq lost the task, or when the worker that had it
// died. Every worker runs a reaper. They share the jobs of all workers.
package reaper

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/tracked"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

const (
	// roundEvery is the mean pause between two rounds. It varies by a
	// quarter, so that the workers take turns.
	roundEvery = 3 * time.Second
	minRound   = roundEvery * 3 / 4
	// maxJobsPerRound is how many jobs one round looks at.
	maxJobsPerRound = 100
)

// Config is what a Reaper uses. All fields must be set.
type Config struct {
	Store   queue.Store
	Tasks   asynqtask.Client
	Kinds   map[string]job.Kind // the kinds that this worker runs, by name
	Metrics Metrics
	Log     *slog.Logger

	// SilentAfter is how long a coordinator may send no heartbeat
	// before its worker counts as dead. A live worker that is taken for
	// dead does no harm, but some work is done twice.
	SilentAfter time.Duration
	// Grace is how long workers have to send a heartbeat again after
	// Redis did not answer.
	Grace time.Duration
}

// Metrics counts what reapers do.
type Metrics interface {
	JobTakenOver(kind string)
	JobEnded(l journal.Labels, state string, took time.Duration)
}

// Reaper finds orphaned jobs. Make it with New.
type Reaper struct {
	config  Config
	records queue.Reaper
}

// New makes a reaper. It does not touch Redis.
func New(c Config) *Reaper { return &Reaper{c, c.Store.Reaper()} }

// Run looks after jobs until ctx ends.
func (r *Reaper) Run(ctx context.Context) {
	lastRound := time.Now()
	trustFrom := lastRound.Add(r.config.Grace)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(minRound + rand.N(roundEvery/2)):
		}
		jobs, err := r.records.Unattended(ctx, maxJobsPerRound)
		if err != nil {
			r.config.Log.Debug("orphaned jobs not listed", "error", err)
			continue
		}
		if time.Since(lastRound) > 2*roundEvery {
			// Redis did not answer, so no worker could send a
			// heartbeat.
			trustFrom = time.Now().Add(r.config.Grace)
		}
		if r.round(ctx, jobs, trustFrom) {
			// The end of the round counts: a long round is no outage.
			lastRound = time.Now()
		}
	}
}

// round looks at some jobs and reports whether all went well. Before
// trustFrom silence does not mean that a worker died.
func (r *Reaper) round(ctx context.Context, jobs []string, trustFrom time.Time) bool {
	ok := true
	for _, id := range jobs {
		trust := time.Now().After(trustFrom)
		// To find a job's queue, its payload may have to be decoded,
		// and that runs code of its kind.
		err := guard.Call(func() error { return r.lookAt(ctx, id, trust) })
		switch {
		case err == nil, ctx.Err() != nil:
			continue
		case errors.Is(err, redisconn.ErrUnavailable): // the worker logs that, once
			r.config.Log.Debug("could not look after a job", "job", id, "error", err)
		default:
			r.config.Log.Warn("could not look after a job", "job", id, "error", err)
		}
		ok = false
	}
	return ok
}

// lookAt looks at one job, and says when a reaper does so again.
func (r *Reaper) lookAt(ctx context.Context, id string, trust bool) error {
	next, err := r.check(ctx, id, trust)
	if err != nil || next == (tracked.Look{}) {
		return err
	}
	return r.records.Postpone(ctx, id, next)
}

// check looks at one job, and does what is needed to have it continue.
// It returns when that may be needed next. A job that has ended is not
// tracked any more.
func (r *Reaper) check(ctx context.Context, id string, trust bool) (tracked.Look, error) {
	health, err := r.records.Inspect(ctx, id)
	switch {
	case errors.Is(err, queue.ErrNoJob):
		return tracked.Look{}, r.records.Untrack(ctx, id)
	case err != nil:
		return tracked.Look{}, err
	case health.State.Final():
		return tracked.Look{}, r.records.Flush(ctx, id)
	}

	kind, ok := r.config.Kinds[health.Kind]
	if !ok {
		return tracked.Look{}, nil // only other workers know it
	}
	o, err := newOrphan(ctx, r, kind, id, health)
	switch {
	case err != nil:
		return tracked.Look{}, err
	case health.State == tasks.StateQueued:
		return o.checkQueued(ctx)
	case health.Silent < r.config.SilentAfter:
		return tracked.Look{After: r.config.SilentAfter - health.Silent}, nil
	case !trust:
		return tracked.Look{}, nil
	}
	return o.checkSilent(ctx)
}
