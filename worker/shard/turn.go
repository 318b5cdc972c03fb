package shard

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

const (
	// askEvery is how often Redis is asked which jobs wait, while a run
	// has had its turn.
	askEvery = time.Second
	// maxTurn is when a turn ends even if no other job waits: long
	// before asynqtask.ShardTimeout, which would use up an attempt.
	maxTurn = 10 * time.Minute
)

// turn is how long a run may keep its slot. It is over when the run has
// lasted for Config.Turn and another job waits for a slot. The objects
// under way are then finished, the run commits, and the shard's task
// goes to the end of its queue. So a small job does not wait for large
// shards of others. A run alone has no end to its turn, and no cost.
type turn struct {
	began time.Time
	over  atomic.Bool
	asked atomic.Bool  // the job asks before each object
	begun atomic.Int64 // objects
}

// mayBegin implements job.Env.MayBegin. It lets each run begin an
// object, so that all together come to an end.
func (t *turn) mayBegin() error {
	t.asked.Store(true)
	if t.over.Load() && t.begun.Load() > 0 {
		return outcome.ErrTurn
	}
	t.begun.Add(1)
	return nil
}

// afterItem returns outcome.ErrTurn if the turn is over and the job
// does not ask before each object.
func (t *turn) afterItem() error {
	if t.over.Load() && !t.asked.Load() {
		return outcome.ErrTurn
	}
	return nil
}

// EndTurns ends the turns of runs while other jobs wait, until ctx
// ends.
func (r *Runner) EndTurns(ctx context.Context) {
	ticks := time.NewTicker(min(askEvery, r.config.Turn))
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			r.endTurns(ctx)
		}
	}
}

// endTurns does nothing, and asks nothing, before a run has lasted for
// a turn.
func (r *Runner) endTurns(ctx context.Context) {
	long := r.heartbeats.longRuns(r.config.Turn)
	if len(long) == 0 {
		return
	}
	waiting, err := r.config.Waiting(ctx)
	if err != nil {
		r.config.Log.Debug("waiting jobs not read", "error", err)
	}
	for _, m := range long {
		isAnother := func(job string) bool { return job != m.ref.Job }
		if time.Since(m.turn.began) > maxTurn || slices.ContainsFunc(waiting, isAnother) {
			m.turn.over.Store(true)
		}
	}
}

// longRuns returns the runs that have lasted for a time, but for
// careful ones: the next run would not be careful.
func (h *heartbeats) longRuns(than time.Duration) (long []*member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.jobs {
		for _, m := range g.runs {
			if time.Since(m.turn.began) >= than && !m.careful.Load() {
				long = append(long, m)
			}
		}
	}
	return long
}
