package shard

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// A shard at which workers die is handled as follows.
//
// The first crash says nothing: machines go away. After the second
// crash since a checkpoint the shard is run carefully: its objects are
// processed one at a time, and each one is recorded in Redis as the
// suspect before it is touched. If a worker dies then, the next run
// knows the suspect, and begins with it. A suspect at which workers
// died twice goes on the error list, and is left out.
const (
	carefulAfter = 2 // crashes
	maxStrikes   = 2 // crashes at one suspect

	// codeKillsWorker is the code of such an object on the error list.
	codeKillsWorker = "kills-worker"
)

// beCareful makes a run careful if workers died at its shard. It
// commits a killer to the error list. The caller must call release when
// the job's code has returned. The error is outcome.ErrApart if the run
// must wait for another one of this process.
func beCareful(ctx context.Context, r *run, turn chan struct{}) (release func(), err error) {
	lease := r.task.Lease
	if lease.Crashes == 0 && lease.Suspect == "" {
		return func() {}, nil
	}
	leave, ok := r.config.Apart()
	if !ok {
		return nil, outcome.ErrApart
	}
	if lease.Crashes < carefulAfter && lease.Suspect == "" {
		return leave, nil
	}
	r.task.Env.Log.Warn("workers died at this shard: one object at a time",
		"shard", lease.Ref.Shard, "crashes", lease.Crashes)
	if lease.Strikes >= maxStrikes {
		if err := leaveOut(ctx, r, lease.Suspect); err != nil {
			leave()
			return nil, err
		}
	}
	c := &careful{run: r, turn: turn}
	r.member.careful.Store(true)
	r.task.Env.BeforeObject = c.beforeObject
	return func() { c.release(); leave() }, nil
}

// leaveOut puts an object on the error list. The run continues after
// it.
func leaveOut(ctx context.Context, r *run, key string) error {
	message := fmt.Sprintf("%d workers died while they processed this object alone; it is left out",
		r.task.Lease.Strikes)
	r.add(job.Item{Key: key, Error: &tasks.ObjectError{
		Key:     key,
		Code:    codeKillsWorker,
		Message: message,
	}})
	return r.commit(ctx, false)
}

// careful is a careful run. Its only hook into the job is beforeObject.
type careful struct {
	run  *run
	turn chan struct{} // shared by the careful runs of this process
	held bool          // whether this run holds the turn
}

// beforeObject is called before each object. It commits what came
// before, so that the next run begins at this object if the worker dies
// now, and records the object as the suspect.
//
// The careful runs of a process take turns. If two of them had an
// object under way when the process dies, both objects would be
// suspects.
func (c *careful) beforeObject(ctx context.Context, key string) error {
	if err := c.run.commitBefore(ctx); err != nil {
		return err
	}
	c.release()
	select {
	case c.turn <- struct{}{}:
		c.held = true
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return c.run.task.Lease.MarkSuspect(ctx, key)
}

// release lets another careful run take its turn. The objects that this
// run has touched are committed, or will be processed again.
func (c *careful) release() {
	if c.held {
		c.held = false
		<-c.turn
	}
}
