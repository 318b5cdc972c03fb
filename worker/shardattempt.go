package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/shard"
)

var errBadShard = errors.New("bad shard task")

// runShard makes one attempt at a shard.
func (w *Worker) runShard(ctx context.Context, a attempt) verdict {
	var ref asynqtask.ShardRef
	err := json.Unmarshal(a.task.Payload(), &ref)
	if err != nil || a.kind.sharded == nil {
		err = fmt.Errorf("not a shard of a sharded job: %w", errors.Join(err, errBadShard))
		return verdict{outcome: failed, err: err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, asynqtask.ShardTimeout, errShardTimeout)
	defer cancel()
	lease, err := w.store.StartShard(ctx, ref)
	if err == nil && !lease.Wanted {
		return verdict{outcome: obsolete}
	}
	if err == nil {
		err = w.shards.Run(ctx, shard.Task{
			Kind:    a.kind.Name,
			Lease:   lease,
			Sharded: a.kind.sharded,
			Env:     w.env(a, ref.Job, nil),
			Decode:  a.kind.decode,
		})
	}
	return w.recordShard(ctx, lease, a.verdict(ctx, err))
}

// recordShard writes a verdict into the job's record before asynq gets its
// answer, and returns the verdict that holds. A shard that failed records
// why; its coordinator then ends the job.
func (w *Worker) recordShard(ctx context.Context, lease queue.ShardLease, v verdict) verdict {
	late, cancel := detached(ctx)
	defer cancel()
	switch v.outcome {
	case failed:
		if err := lease.Fail(late, *w.wording.failure(v.err)); err != nil {
			return repeatVerdict(ctx, err)
		}
	case retry, snooze, handover:
		// If this fails, the shard may be replaced before asynq brings the
		// task back. That does no harm.
		if err := lease.Suspend(late, v.pause); err != nil {
			w.log.Debug("shard not suspended", "task", lease.Ref.TaskID(), "error", err)
		}
	case done, fenced, obsolete, cancelled:
	}
	return v
}
