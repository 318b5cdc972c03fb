package coordinator

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// enqueueMore enqueues shards, as many as may be in flight.
func (s *supervisor) enqueueMore(ctx context.Context, snapshot queue.Snapshot) error {
	for _, i := range s.notEnqueued(snapshot) {
		if err := s.enqueue(ctx, i, snapshot.Shards[i].Generation); err != nil {
			return err
		}
		s.enqueued[i] = &enqueuedShard{checked: time.Now()}
	}
	return nil
}

// notEnqueued lists shards that are neither committed nor enqueued, as
// many as may be in flight. It begins with the first shard each time:
// if Redis lost its last second, shards that were committed are not any
// more.
func (s *supervisor) notEnqueued(snapshot queue.Snapshot) (shards []int) {
	limit := s.inflight.update(time.Now(), snapshot.Committed.Shards, s.run.slots.get())
	for _, i := range snapshot.Undone(0, limit) {
		if s.enqueued[i] == nil && len(s.enqueued)+len(shards) < limit {
			shards = append(shards, i)
		}
	}
	return shards
}

// enqueue puts the task of a shard on the queue, if it is not there
// yet.
func (s *supervisor) enqueue(ctx context.Context, i, generation int) error {
	return s.config.Tasks.EnqueueShard(ctx, asynqtask.Shard{
		Kind:        s.run.job.Lease.Kind,
		Ref:         s.ref(i, generation),
		Queue:       s.queue,
		ShardShares: s.shares,
	})
}

func (s *supervisor) ref(i, generation int) asynqtask.ShardRef {
	return asynqtask.ShardRef{Job: s.run.job.Lease.ID, Shard: i, Generation: generation}
}
