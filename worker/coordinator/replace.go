package coordinator

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

const (
	// checkEvery is how often the task of an enqueued shard without a
	// heartbeat is looked up in asynq. After a failover Redis may lack
	// the tasks that the dead master alone had.
	checkEvery = 3 * time.Second
	// checkAfter is how long a shard may have no heartbeat while a
	// worker seems to have its task.
	checkAfter = 10 * time.Second
	// beginWithin is how long a worker that has taken a task may need
	// for its first heartbeat.
	beginWithin = time.Second
	// stuckAfter is how long the first run of a shard may make no
	// progress. Then a second run is started beside it; the first
	// commit counts.
	stuckAfter = 2 * time.Minute
	// maxDoublings keeps stuckLimit from overflowing.
	maxDoublings = 10
)

// Why a shard was replaced: its worker stopped sending heartbeats, its
// run makes no progress, or no worker ever began the task.
const (
	crashed = "crashed"
	stuck   = "stuck"
	lost    = "lost"
)

// stuckLimit is how long the runs of a shard may make no progress
// before one more is started. It doubles with each run: a bucket that
// does not answer must not get more and more requests.
func stuckLimit(generation int) time.Duration {
	return stuckAfter << min(generation, maxDoublings)
}

// replaceCrashed gives shards to another worker: those whose worker is
// silent, those that are stuck, and those whose task asynq has lost.
func (s *supervisor) replaceCrashed(ctx context.Context, snapshot queue.Snapshot) error {
	for i, e := range s.enqueued {
		state := snapshot.Shards[i]
		e.observe(state, snapshot.Now)

		var err error
		switch {
		case state.LastHeartbeat.IsZero():
			err = s.checkTask(ctx, i, state)
		case snapshot.Now.Before(s.trustFrom):
		case snapshot.Now.Sub(state.LastHeartbeat) > s.config.SilentAfter:
			err = s.checkSilent(ctx, i, state)
		case snapshot.Now.Sub(e.moved) > stuckLimit(state.Generation):
			e.moved = snapshot.Now
			err = s.replace(ctx, i, state, stuck)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// observe notes when the shard's run last made progress. While no run
// sends heartbeats, none can be stuck: after a hand-over the task may
// wait for a long time.
func (e *enqueuedShard) observe(state queue.ShardState, now time.Time) {
	runs := now.Sub(state.LastHeartbeat) < blindAfter
	e.taken = e.taken && !runs
	same := state.Live.Objects == e.objects && state.Live.Bytes == e.bytes
	if same && runs && !e.moved.IsZero() {
		return
	}
	e.objects, e.bytes, e.moved = state.Live.Objects, state.Live.Bytes, now
}

// checkSilent replaces a shard whose worker is silent, unless its task
// waits on the queue: after a hand-over a task goes to the end of the
// queue, and no worker crashed. If a worker has the task, it may have
// taken it just now.
func (s *supervisor) checkSilent(ctx context.Context, i int, state queue.ShardState) error {
	e := s.enqueued[i]
	pause := checkAfter
	if e.taken {
		pause = beginWithin
	}
	if time.Since(e.silenceChecked) < pause {
		return nil
	}
	e.silenceChecked = time.Now()
	task, err := s.config.Tasks.State(s.queue, s.ref(i, state.Generation).TaskID())
	if err != nil {
		return err
	}
	before := e.taken
	e.taken = !task.Waiting()
	if !before || !e.taken {
		return nil
	}
	return s.replace(ctx, i, state, crashed)
}

// checkTask looks up the task of a shard that no worker has begun.
// Usually it waits on the queue.
func (s *supervisor) checkTask(ctx context.Context, i int, state queue.ShardState) error {
	e := s.enqueued[i]
	if time.Since(e.checked) < checkEvery {
		return nil
	}
	e.checked = time.Now()
	id := s.ref(i, state.Generation).TaskID()
	task, err := s.config.Tasks.State(s.queue, id)
	switch {
	case err != nil:
		return err
	case task == asynqtask.Gone:
		return s.enqueue(ctx, i, state.Generation)
	case task == asynqtask.Archived: // only an operator can have done that
		return s.config.Tasks.RunArchived(s.queue, id)
	case task != asynqtask.Active:
		e.active = time.Time{}
	case e.active.IsZero():
		e.active = e.checked
	case e.checked.Sub(e.active) >= checkAfter:
		// Active for long without a heartbeat: its worker died before
		// the first one, or asynq has lost the task.
		return s.replace(ctx, i, state, lost)
	}
	return nil
}

// replace gives a shard to the next generation of its task, unless its
// run has sent a heartbeat or has committed meanwhile.
func (s *supervisor) replace(
	ctx context.Context, i int, state queue.ShardState, why string,
) error {
	lease := s.run.job.Lease
	ok, err := lease.ReplaceShard(ctx, i, state, why == crashed)
	if err != nil || !ok {
		return err
	}
	generation := state.Generation + 1
	s.config.Log.Warn("shard replaced",
		"job", lease.ID, "shard", i, "reason", why, "generation", generation)
	s.config.Metrics.ShardReplaced(lease.Kind, why)
	s.enqueued[i] = &enqueuedShard{checked: time.Now()}
	return s.enqueue(ctx, i, generation)
}
