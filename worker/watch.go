package worker

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

const (
	watchEvery = 100 * time.Millisecond
	// blindAfter is how long the coordinator may have seen nothing before it
	// gives the workers time to be heard again: while Redis was away nobody
	// could beat.
	blindAfter = 5 * time.Second
	// askAfter is how long an enqueued shard may wait without a beat before
	// asynq is asked what became of its task.
	askAfter = 10 * time.Second
	// stuckAfter is how long a run may achieve nothing before a second one is
	// started beside it; the first to commit wins.
	stuckAfter = 2 * time.Minute
)

// stuck is how long the runs of a shard may achieve nothing before one more
// is started. It doubles with each: a bucket that lets nobody in for a while
// must not be met with ever more requests.
func stuck(generation int) time.Duration { return stuckAfter << min(generation, 10) }

// watch is what a coordinator keeps in mind between two looks at its job.
type watch struct {
	*Worker
	c     claimed
	queue string // of the shards
	out   map[int]*outstanding
	seen  time.Time // when the last look succeeded
	trust time.Time // from when on, by the server's clock, silence means death
	share shares
}

// outstanding is a shard that was enqueued and is not done.
type outstanding struct {
	asked  time.Time // when asynq was last asked about it, or it was enqueued
	active bool      // it was active then, without a beat
	sought time.Time // when asynq was last asked because its worker is silent
	done   [2]int64  // objects and bytes of the run, when it last moved
	moved  time.Time // when that was, by the server's clock
}

// watch enqueues shards as they are planned, as many as there is room for,
// replaces those whose worker died, and returns when all are committed, or
// with the failure that one of them has noted.
func (w *Worker) watch(ctx context.Context, c claimed, planned <-chan struct{}) error {
	v := &watch{
		Worker: w, c: c, out: map[int]*outstanding{}, seen: time.Now(), share: w.shares(c),
		queue: c.job.JobTerms().Priority.Queue(tasks.QueueShards),
	}
	ticks := time.NewTicker(watchEvery)
	defer ticks.Stop()
	for {
		all := closed(planned) // before the look, so that a shard planned in between is not missed
		finished, err := v.look(ctx, all)
		switch {
		case err != nil && !errors.Is(err, redisconn.ErrUnavailable):
			return err
		case err == nil && finished:
			v.giveBack(ctx, v.c)
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

// look is one beat of the coordinator.
func (v *watch) look(ctx context.Context, planned bool) (finished bool, err error) {
	view, err := v.beats.Look(ctx, v.c.Claim, v.c.meter.last())
	if err != nil {
		return false, err
	}
	if view.Fault != nil {
		return false, &notedError{*view.Fault}
	}
	switch {
	case v.trust.IsZero():
		v.trust = view.Now.Add(5 * beatEvery)
	case time.Since(v.seen) > blindAfter:
		v.trust = view.Now.Add(grace)
	}
	v.seen = time.Now()
	v.meterView(view, planned)
	v.c.meter.tell(ctx, view.State)
	if err := v.affordable(view, planned); err != nil {
		return false, err
	}
	maps.DeleteFunc(v.out, func(i int, _ *outstanding) bool { return view.Done(i) })
	if planned && view.Committed.Shards == view.Committed.ShardsTotal {
		return true, nil
	}
	if err := v.revive(ctx, view); err != nil {
		return false, err
	}
	return false, v.fill(ctx, view)
}

// meterView shows what is committed and what is under way.
func (v *watch) meterView(view queue.View, planned bool) {
	p := view.Committed
	for i, r := range view.Runs {
		if !view.Done(i) {
			p.Objects += r.Live.Objects
			p.Bytes += r.Live.Bytes
			p.Failed += r.Live.Failed
		}
	}
	v.c.meter.shown(p, -1, planned)
}

// affordable fails a job early whose parts will not fit: an estimate once a
// twentieth of the shards is done, ten at least. Shards under way have handed
// in pieces too, so they count as if they were done; what that misses the
// commits find.
func (v *watch) affordable(view queue.View, planned bool) error {
	p, budget := view.Committed, v.config.PartsBudget
	if !planned || p.Shards < max(10, p.ShardsTotal/20) {
		return nil
	}
	begun := p.Shards
	for i := range view.Runs {
		if !view.Done(i) {
			begun++
		}
	}
	if estimate := view.PartsBytes / begun * p.ShardsTotal; estimate > budget {
		return errParts(estimate, budget)
	}
	return nil
}

// revive replaces the tasks of shards whose worker is not heard of any more,
// or that asynq has lost.
func (v *watch) revive(ctx context.Context, view queue.View) error {
	for i, o := range v.out {
		run := view.Runs[i]
		if done := [2]int64{run.Live.Objects, run.Live.Bytes}; done != o.done || o.moved.IsZero() || run.Beat.IsZero() {
			o.done, o.moved = done, view.Now
		}
		var err error
		switch {
		case run.Beat.IsZero():
			err = v.ask(ctx, i, o, run)
		case view.Now.Before(v.trust):
		case view.Now.Sub(run.Beat) > staleAfter:
			err = v.silent(ctx, i, o, run)
		case view.Now.Sub(o.moved) > stuck(run.Generation):
			o.moved = view.Now
			err = v.replace(ctx, i, run, "stuck")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// silent replaces a shard whose worker is not heard of, unless its task
// waits: after a hand-over it goes to the end of the queue, and nobody died.
func (v *watch) silent(ctx context.Context, i int, o *outstanding, run queue.Run) error {
	if time.Since(o.sought) < askAfter {
		return nil
	}
	o.sought = time.Now()
	state, err := v.taskState(v.queue, queue.ShardRef{Job: v.c.ID, Shard: i, Generation: run.Generation}.TaskID())
	if err != nil || waiting(state) {
		return err
	}
	return v.replace(ctx, i, run, "crashed")
}

func (v *watch) replace(ctx context.Context, i int, run queue.Run, why string) error {
	ok, err := v.records.Replace(ctx, v.c.Claim, i, run, why == "crashed")
	if err != nil || !ok {
		return err
	}
	v.log.Warn("shard replaced", "job", v.c.ID, "shard", i, "reason", why, "generation", run.Generation+1)
	v.metrics.replaced.WithLabelValues(v.c.Name, why).Inc()
	v.out[i] = &outstanding{asked: time.Now()}
	return v.enqueue(ctx, i, run.Generation+1)
}

// ask looks after a shard that no worker has begun. Most often its task just
// waits.
func (v *watch) ask(ctx context.Context, i int, o *outstanding, run queue.Run) error {
	if time.Since(o.asked) < askAfter {
		return nil
	}
	o.asked = time.Now()
	id := queue.ShardRef{Job: v.c.ID, Shard: i, Generation: run.Generation}.TaskID()
	state, err := v.taskState(v.queue, id)
	switch {
	case err != nil:
		return err
	case state == gone:
		return v.enqueue(ctx, i, run.Generation)
	case state == asynq.TaskStateArchived: // only somebody with asynqmon can have done that
		return redisconn.Wrap(v.inspector.RunTask(v.queue, id), "run shard %d of job %s", i, v.c.ID)
	case state != asynq.TaskStateActive:
		o.active = false
	case o.active: // for the second time: its worker died before the first beat, or asynq has lost it
		return v.replace(ctx, i, run, "lost")
	default:
		o.active = true
	}
	return nil
}

// enqueue puts a shard on the queue. It may be there already, which is as
// good.
func (v *watch) enqueue(ctx context.Context, i, generation int) error {
	ref := queue.ShardRef{Job: v.c.ID, Shard: i, Generation: generation}
	_, err := v.client.EnqueueContext(ctx, queue.NewShardTask(v.c.Name, ref, v.c.job.JobTerms().Priority))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return redisconn.Wrap(err, "enqueue shard %d of job %s", i, v.c.ID)
}

// fill enqueues more shards, within the window and the job's share of the
// caps. The window keeps a large job from standing in the way of all that
// come after it.
func (v *watch) fill(ctx context.Context, view queue.View) error {
	todo := v.unsent(view)
	room, err := v.share.ask(ctx, len(v.out), len(todo))
	if err != nil {
		return err
	}
	for _, i := range todo[:min(len(todo), room)] {
		if err := v.enqueue(ctx, i, view.Runs[i].Generation); err != nil {
			return err
		}
		v.out[i] = &outstanding{asked: time.Now()}
	}
	return nil
}

// unsent lists the first shards that are neither done nor enqueued, as many
// as the window has room for. It begins with the very first each time: one
// that was done and is passed may be undone again, when Redis has lost its
// last second.
func (v *watch) unsent(view queue.View) (todo []int) {
	size := v.window()
	for _, i := range view.Undone(0, size) {
		if v.out[i] == nil && len(v.out)+len(todo) < size {
			todo = append(todo, i)
		}
	}
	return todo
}
