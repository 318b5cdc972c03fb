package worker

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// coordinate sees a sharded job through: it plans the shards, watches the workers do them, and puts the parts together.
// Any step may be the first: the job may have been begun by a coordinator that died or was stopped.
func (w *Worker) coordinate(ctx context.Context, c claimed) (tasks.Result, error) {
	if c.Shards > 0 { // left over from an earlier coordinator, perhaps without their tasks
		if err := w.sweep(ctx, c); err != nil {
			return nil, err
		}
	}
	group, inner := errgroup.WithContext(ctx)
	planned := make(chan struct{})
	group.Go(func() error {
		defer close(planned)
		if c.State != tasks.StatePlanning {
			return nil
		}
		return w.plan(inner, c)
	})
	group.Go(func() error { return w.watch(inner, c, planned) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := w.records.Step(ctx, c.Claim, tasks.StateRunning, tasks.StateFinishing); err != nil {
		return nil, err
	}
	s, err := w.records.Status(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	c.env.Log.Info("finishing", "shards", s.Progress.ShardsTotal)
	return c.sharded.Finish(ctx, c.job, c.env, w.parts(ctx, c, int(s.Progress.ShardsTotal)))
}

// plan keeps each shard in the job's record before it enqueues it, and goes on from the last one kept. What a crash leaves
// kept but not enqueued, the next coordinator's sweep finds.
func (w *Worker) plan(ctx context.Context, c claimed) error {
	index := c.Shards
	emit := func(s job.Shard) error {
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if err := w.records.Plan(ctx, c.Claim, queue.Planned{Index: index, Shard: text, Cursor: s.Through, Objects: s.Objects}); err != nil {
			return err
		}
		if err := w.enqueueShard(ctx, c, index); err != nil {
			return err
		}
		index++
		return nil
	}
	if err := c.sharded.Plan(ctx, c.job, c.env, c.Cursor, emit); err != nil {
		return err
	}
	return w.records.Step(ctx, c.Claim, tasks.StatePlanning, tasks.StateRunning)
}

// enqueueShard puts a shard on the queue. It may be there already, which is as good. An archived one, which only somebody
// with asynqmon can have made, is put back.
func (w *Worker) enqueueShard(ctx context.Context, c claimed, index int) error {
	_, err := w.client.EnqueueContext(ctx, queue.ShardTask(c.Name, c.ID, index))
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return queue.Wrap(err, "enqueue shard %d of job %s", index, c.ID)
	}
	id := queue.ShardTaskID(c.ID, index)
	if info, err := w.inspector.GetTaskInfo(tasks.QueueShards, id); err == nil && info.State == asynq.TaskStateArchived {
		return queue.Wrap(w.inspector.RunTask(tasks.QueueShards, id), "enqueue shard %d of job %s again", index, c.ID)
	}
	return nil
}

const (
	watchEvery = 100 * time.Millisecond
	sweepAfter = 15 * time.Second // without any shard being committed
)

// watch returns when every shard is committed, or with the failure that one of them has noted.
func (w *Worker) watch(ctx context.Context, c claimed, planned <-chan struct{}) error {
	ticks := time.NewTicker(watchEvery)
	defer ticks.Stop()
	v := view{sweep: time.Now().Add(sweepAfter)}
	for {
		all := closed(planned) // before the look, so that a shard planned in between is not missed
		finished, err := w.look(ctx, c, &v)
		switch {
		case err != nil && !errors.Is(err, queue.ErrAway):
			return err
		case err == nil && finished && all:
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticks.C:
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// view is what the watch remembers between looks.
type view struct {
	shards  int64     // committed
	sweep   time.Time // when to look for lost shards next
	written time.Time // when asynq's result was last brought up to date
}

// look reads how far the job is, tells asynqmon, and sweeps when nothing has moved for a while.
func (w *Worker) look(ctx context.Context, c claimed, v *view) (finished bool, err error) {
	s, err := w.records.Status(ctx, c.ID)
	if err != nil {
		return false, err
	}
	if f, err := w.records.Fault(ctx, c.ID); err != nil || f != nil {
		return false, errors.Join(err, shardFailed(f))
	}
	now := time.Now()
	if s.Progress.Shards != v.shards {
		v.shards, v.sweep = s.Progress.Shards, now.Add(sweepAfter)
	}
	if now.Sub(v.written) >= time.Second {
		v.written = now
		if text, err := json.Marshal(s.Progress); err == nil {
			c.write(text)
		}
	}
	if now.After(v.sweep) {
		v.sweep = now.Add(sweepAfter)
		err = w.sweep(ctx, c)
	}
	return s.Progress.Shards == s.Progress.ShardsTotal, err
}

// sweep enqueues every shard again that is not done; those that wait or run are left as they are.
func (w *Worker) sweep(ctx context.Context, c claimed) error {
	undone, err := w.records.Undone(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, i := range undone {
		if err := w.enqueueShard(ctx, c, i); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) parts(ctx context.Context, c claimed, n int) iter.Seq2[job.Part, error] {
	return func(yield func(job.Part, error) bool) {
		for data, err := range w.records.Parts(ctx, c.ID, n) {
			var p job.Part
			if err == nil {
				p, err = decodePart(data)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}
