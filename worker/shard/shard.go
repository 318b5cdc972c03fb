// Package shard runs the shards of sharded jobs in this process.
//
// A run does what is left of one shard. It commits its work in
// checkpoints, so that little is lost if the process dies. One loop
// sends the heartbeats of all runs. A shard at which workers died is
// run carefully, one object at a time, to find the object that kills
// its worker.
//
// The package does not decide what an error means for the shard or its
// job: package outcome does.
package shard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// Config is what a Runner uses. All fields must be set.
type Config struct {
	Store   queue.Store
	Metrics Metrics
	Log     *slog.Logger

	// HeartbeatEvery is the interval of heartbeats.
	HeartbeatEvery time.Duration
	// Turn is how long a run may last while another job waits.
	Turn time.Duration
	// Apart lets a run in at whose shard workers died, unless another
	// run of this process may kill its worker. leave must be called
	// once, when the run has ended.
	Apart func() (leave func(), ok bool)
	// Waiting returns jobs that wait for a slot of this process: at
	// least two, if there are so many.
	Waiting func(context.Context) ([]string, error)
}

// Metrics counts what runs of shards do.
type Metrics interface {
	ObjectsProcessed(l journal.Labels, p tasks.Progress)
	DuplicateCommit(kind string)
}

// Runner runs shards. Make it with New. It is safe for concurrent use.
type Runner struct {
	config     Config
	heartbeats *heartbeats
	// turn is held by the careful run that works on an object.
	turn chan struct{}
}

// New makes a runner. It does not touch Redis. SendHeartbeats and
// EndTurns must run while shards run.
func New(c Config) *Runner {
	return &Runner{c, newHeartbeats(c), make(chan struct{}, 1)}
}

// SendHeartbeats sends the heartbeats of all runs until ctx ends.
func (r *Runner) SendHeartbeats(ctx context.Context) { r.heartbeats.run(ctx) }

// Task is one run of a shard.
type Task struct {
	Kind  job.Kind
	Lease queue.ShardLease
	Env   job.Env
	// Call calls the job's own code. It may return before the code
	// does, with the cause of ctx, if the code does not obey ctx.
	Call func(ctx context.Context, code func() error) error
	// Decoded is called with the payload before the work begins. It may
	// be nil.
	Decoded func(tasks.Job)
}

// Run does what is left of a shard. Whatever ends it, the work that was
// done is committed, unless the error is outcome.ErrObsolete. The error
// is queue.ErrBudget when the job would keep too much in Redis, and
// outcome.ErrTurn when other jobs get their turn before the rest.
func (r *Runner) Run(ctx context.Context, t Task) error {
	ctx, member := r.heartbeats.join(ctx, t.Lease.Ref, t.Lease.Round)
	defer member.leave()
	payload, err := member.group.decode(t.Lease.Payload, t.Kind.DecodeValid)
	if err != nil {
		return err
	}
	if t.Decoded != nil {
		t.Decoded(payload)
	}
	var s job.Shard
	if err = json.Unmarshal(t.Lease.Shard, &s); err == nil {
		s, err = s.WithInput(t.Lease.Input)
	}
	if err != nil {
		return fmt.Errorf("shard %d of job %s: %w", t.Lease.Ref.Shard, t.Lease.Ref.Job, err)
	}

	t.Env.MayBegin = member.turn.mayBegin
	w := newRun(r.config, t, member)
	w.labels = journal.Of(t.Kind.Name, payload)
	release, err := beCareful(ctx, w, r.turn)
	if err != nil {
		return err
	}
	if w.checkpoint.To != "" {
		s.After = w.checkpoint.To
	}

	err = t.Call(ctx, func() error {
		defer release()
		return w.work(ctx, payload, s)
	})
	w.close()
	switch {
	case err == nil:
		return w.commit(ctx, true)
	case errors.Is(context.Cause(ctx), outcome.ErrObsolete):
		return outcome.ErrObsolete // whatever error the job has made of it
	}
	w.salvage(ctx)
	return err
}
