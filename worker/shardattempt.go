package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
	"github.com/stevedore-jobs/stevedore/worker/shard"
)

var errBadShard = errors.New("bad shard task")

// runShard makes one attempt at a shard.
func (a *attempt) runShard(ctx context.Context) outcome.Verdict {
	var ref asynqtask.ShardRef
	payload, err := a.payload()
	if err == nil {
		err = json.Unmarshal(payload, &ref)
	}
	if err != nil || a.kind.Sharded == nil {
		err = fmt.Errorf("not a shard of a sharded job: %w", errors.Join(err, errBadShard))
		return outcome.Verdict{Outcome: outcome.Failed, Err: err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, asynqtask.ShardTimeout, outcome.ErrShardTimeout)
	defer cancel()
	lease, err := a.executor.store.StartShard(ctx, ref)
	if err == nil && !lease.Wanted {
		return outcome.Verdict{Outcome: outcome.Obsolete}
	}
	if err == nil {
		err = a.executor.shards.Run(ctx, shard.Task{
			Kind:    a.kind,
			Lease:   lease,
			Env:     a.env(ref.Job, nil),
			Call:    a.code.Call,
			Decoded: a.decoded,
		})
	}
	return a.recordShard(ctx, lease, a.decide(ctx, err))
}

// recordShard writes a verdict into the job's record before asynq gets
// its answer, and returns the verdict that holds. A shard that failed
// records why; its coordinator then ends the job.
func (a *attempt) recordShard(
	ctx context.Context, lease queue.ShardLease, v outcome.Verdict,
) outcome.Verdict {
	late, cancel := detached(ctx)
	defer cancel()
	switch {
	case v.Outcome == outcome.Failed:
		if err := lease.Fail(late, *a.executor.wording.Failure(v.Err)); err != nil {
			return outcome.NotRecorded(ctx, err)
		}
	case v.Again():
		// If this fails, the shard may be replaced before asynq brings
		// the task back. That does no harm.
		if err := lease.Suspend(late, v.Pause); err != nil {
			a.executor.log.Debug("shard not suspended",
				"job", lease.Ref.Job, "task", a.taskID, "error", err)
		}
	}
	return v
}
