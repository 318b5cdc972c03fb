package worker

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// coordinate sees a sharded job through: it plans the shards, has the workers
// do them, and puts the parts together. Any step may be the first: the job
// may have been begun by a coordinator that died or was stopped.
func (w *Worker) coordinate(ctx context.Context, c claimed) (tasks.Result, error) {
	group, inner := errgroup.WithContext(ctx)
	planned := make(chan struct{})
	group.Go(func() error {
		if c.State == tasks.StatePlanning {
			if err := job.Guard(func() error { return w.plan(inner, c) }); err != nil {
				return err
			}
		}
		close(planned)
		return nil
	})
	group.Go(func() error { return w.watch(inner, c, planned) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := w.records.Step(ctx, c.Claim, tasks.StateRunning, tasks.StateFinishing); err != nil {
		return nil, err
	}
	return w.finish(ctx, c)
}

// plan keeps each shard in the job's record, and goes on from the last one
// kept. The watch enqueues them.
func (w *Worker) plan(ctx context.Context, c claimed) error {
	index := c.Shards
	emit := func(s job.Shard) error {
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		err = w.records.Plan(ctx, c.Claim, queue.Planned{Index: index, Shard: text, Cursor: s.Through, Objects: s.Objects})
		index++
		return err
	}
	var err error
	if c.Amends != nil {
		err = w.planRetry(ctx, c, emit)
	} else {
		err = c.sharded.Plan(ctx, c.job, c.env, c.Cursor, emit)
	}
	if err != nil {
		return err
	}
	return w.records.Step(ctx, c.Claim, tasks.StatePlanning, tasks.StateRunning)
}

// retryShard is how many objects of an error list make a shard.
const retryShard = 200

// planRetry makes shards of the objects that failed the last time. The list
// is in key order.
func (w *Worker) planRetry(ctx context.Context, c claimed, emit func(job.Shard) error) error {
	next, seen := job.Shard{After: c.Cursor}, c.Cursor
	for e, err := range w.records.ToRetry(ctx, c.ID) {
		if err != nil {
			return err
		}
		if e.Key <= seen && seen != "" {
			continue // planned already
		}
		seen, next.Through = e.Key, e.Key
		next.Keys = append(next.Keys, e.Key)
		if next.Objects++; next.Objects < retryShard {
			continue
		}
		if err := emit(next); err != nil {
			return err
		}
		next = job.Shard{After: seen}
	}
	if next.Objects == 0 {
		return nil
	}
	return emit(next)
}

// finish puts the parts together. Meanwhile it goes on beating.
func (w *Worker) finish(ctx context.Context, c claimed) (tasks.Result, error) {
	ctx, stop := w.keepBeating(ctx, c, c.meter.last)
	defer stop()
	t, err := w.records.Totals(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	c.env.Log.Info("finishing", "shards", t.Shards)
	result, err := c.sharded.Finish(ctx, c.job, c.env, job.Parts{
		Tally: t.Tally, Bytes: t.Bytes, Size: t.Size, Failed: t.Failed,
		Data: w.records.Parts(ctx, c.ID, t.Shards), Earlier: c.Amends,
	})
	return result, fencedOr(ctx, err)
}

// errParts is the failure of a job whose parts are too large.
func errParts(bytes, budget int64) error {
	return &notedError{tasks.Failure{
		Kind: string(providers.Invalid), Code: "PartsTooLarge",
		Message: fmt.Sprintf("the parts of this job would take about %d MB of Redis, and %d MB are allowed", bytes>>20, budget>>20),
		Fix:     "Split the job by prefix, or raise STEVEDORE_PARTS_BUDGET on the workers and give Redis the memory.",
	}}
}
