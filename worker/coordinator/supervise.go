package coordinator

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

const (
	// superviseEvery is how often a supervisor looks at its job.
	superviseEvery = 100 * time.Millisecond
	// blindAfter is how long a supervisor may have had no answer from
	// Redis before it waits for new heartbeats. Without Redis no worker
	// could send one.
	blindAfter = 5 * time.Second
	// firstTrust is how many intervals of heartbeats a supervisor waits
	// at first before silence counts as a crash.
	firstTrust = 5
)

// supervisor supervises the shards of one job. It enqueues shards as
// they are planned, as many as may be in flight, and replaces shards
// whose worker has crashed.
type supervisor struct {
	config   *Config
	run      *run
	queue    string                 // of the shards' tasks
	enqueued map[int]*enqueuedShard // shards that are enqueued and not committed
	shares   asynqtask.ShardShares
	inflight inflightLimit

	lastSnapshot time.Time
	// trustFrom is when silence begins to count as a crash, by the
	// server's clock. It is zero before the first snapshot.
	trustFrom time.Time
}

// enqueuedShard is what a supervisor remembers of a shard.
type enqueuedShard struct {
	// checked is when the task was enqueued, or last looked up in
	// asynq.
	checked time.Time
	// active is since when each look found the task active, though no
	// worker had sent a heartbeat; zero if the last look did not.
	active time.Time
	// silenceChecked is when the task was last looked up in asynq
	// because its worker is silent. taken is set if the task did not
	// wait then, so that its worker has died, or is about to begin.
	silenceChecked time.Time
	taken          bool
	// objects and bytes are the progress of the run at the time moved,
	// by the server's clock. They have not changed since.
	objects, bytes int64
	moved          time.Time
}

func newSupervisor(r *run) *supervisor {
	priority := r.job.Payload.JobTerms().Priority
	return &supervisor{
		config:       r.config,
		run:          r,
		queue:        priority.Queue(tasks.QueueShards),
		enqueued:     map[int]*enqueuedShard{},
		shares:       asynqtask.SharesOf(r.job.Payload),
		lastSnapshot: time.Now(),
	}
}

// supervise returns when all shards are committed, or with the failure
// that one of them has recorded. planned is closed when all shards are
// planned.
func (s *supervisor) supervise(ctx context.Context, planned <-chan struct{}) error {
	ticks := time.NewTicker(superviseEvery)
	defer ticks.Stop()
	for {
		// This comes before the snapshot, which then has all shards.
		allPlanned := isClosed(planned)
		finished, err := s.step(ctx, allPlanned)
		switch {
		case err != nil && !errors.Is(err, redisconn.ErrUnavailable):
			return err
		case err == nil && finished:
			return nil
		}

		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.run.job.TurnOver:
			return outcome.ErrTurn
		case <-ticks.C:
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// step sends a heartbeat, and acts on the snapshot that it returns.
func (s *supervisor) step(ctx context.Context, planned bool) (finished bool, err error) {
	progress := s.run.progress
	snapshot, err := s.run.job.Lease.Heartbeat(ctx, progress.report)
	if err != nil {
		return false, err
	}
	if snapshot.ShardFailure != nil {
		return false, &outcome.ShardFailureError{Failure: *snapshot.ShardFailure}
	}
	s.trust(snapshot)

	total := int64(0)
	if planned {
		total = snapshot.Committed.ObjectsTotal
	}
	if !begun(snapshot) {
		progress.rate = rateMeter{} // it measures work, not the listing before
	}
	progress.update(countsOf(snapshot), total)
	progress.show(ctx, snapshot)

	if planned {
		if err := checkBudget(snapshot, s.config.RedisBudget); err != nil {
			return false, err
		}
	}
	maps.DeleteFunc(s.enqueued, func(i int, _ *enqueuedShard) bool { return snapshot.Done(i) })
	if planned && snapshot.Committed.Shards == snapshot.Committed.ShardsTotal {
		return true, nil
	}
	if err := s.replaceCrashed(ctx, snapshot); err != nil {
		return false, err
	}
	return false, s.enqueueMore(ctx, snapshot)
}

// trust decides from when on silence counts as a crash. Workers need
// time to send heartbeats again after Redis did not answer.
func (s *supervisor) trust(snapshot queue.Snapshot) {
	switch {
	case s.trustFrom.IsZero():
		s.trustFrom = snapshot.Now.Add(firstTrust * s.config.HeartbeatEvery)
	case time.Since(s.lastSnapshot) > blindAfter:
		s.trustFrom = snapshot.Now.Add(s.config.Grace)
	}
	s.lastSnapshot = time.Now()
}

// begun reports whether a run has begun a shard of the job.
func begun(s queue.Snapshot) bool {
	for _, shard := range s.Shards {
		if !shard.LastHeartbeat.IsZero() {
			return true
		}
	}
	return s.Committed.Shards > 0
}

// countsOf counts what is committed and what is under way.
func countsOf(s queue.Snapshot) tasks.Progress {
	p := s.Committed
	for i, shard := range s.Shards {
		if s.Done(i) {
			continue
		}
		p.Objects += shard.Live.Objects
		p.Bytes += shard.Live.Bytes
		p.Failed += shard.Live.Failed
		p.Warnings += shard.Live.Warnings
	}
	return p
}
