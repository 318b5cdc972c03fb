package coordinator

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// retryShardSize is how many objects of an error list make a shard.
const retryShardSize = 200

// plan saves each shard in the job's record. It continues after the
// last shard that was saved. The supervisor enqueues the shards.
func (r *run) plan(ctx context.Context) error {
	lease := r.job.Lease
	index := lease.Shards
	emit := func(s job.Shard) error {
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		err = lease.Plan(ctx, queue.PlannedShard{
			Index:   index,
			Shard:   text,
			Input:   s.Input(),
			Cursor:  s.Through,
			Objects: s.Objects,
		})
		index++
		return err
	}

	var err error
	if lease.PreviousResult != nil {
		err = planRetry(lease.RetryList(ctx), lease.Shards, emit)
	} else {
		env := r.job.Env
		env.Slots = r.slots.get()
		err = r.job.Kind.Sharded.Plan(ctx, r.job.Payload, env, lease.Cursor, emit)
	}
	if err != nil {
		return err
	}
	return lease.Advance(ctx, tasks.StatePlanning, tasks.StateRunning)
}

// planRetry makes shards of the objects that failed in the round
// before, each object once. The error list has the same order at each
// call. So the shards that are saved already, which are full, hold its
// first objects.
func planRetry(
	failed iter.Seq2[tasks.ObjectError, error], saved int, emit func(job.Shard) error,
) error {
	var next job.Shard
	planned := saved * retryShardSize
	seen := map[string]bool{}
	for e, err := range failed {
		if err != nil {
			return err
		}
		if seen[e.Key] {
			continue
		}
		seen[e.Key] = true
		if len(seen) <= planned {
			continue
		}
		next.Through = e.Key
		next.Keys = append(next.Keys, e.Key)
		if next.Objects++; next.Objects < retryShardSize {
			continue
		}
		if err := emit(next); err != nil {
			return err
		}
		next = job.Shard{}
	}
	if next.Objects == 0 {
		return nil
	}
	return emit(next)
}
