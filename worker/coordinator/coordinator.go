// Package coordinator runs a claimed job until it has a result or an
// error.
//
// A single job is one run. A sharded job takes four steps: the
// coordinator plans the shards, puts their tasks on the queue,
// supervises them until all are committed, and finishes the job from
// what they committed. Any step may be the first, because an earlier
// coordinator of the job may have died or stopped. Meanwhile the
// coordinator sends heartbeats and shows progress.
//
// The package does not decide what an error means for the job (package
// outcome does), and it does not end the job (package worker does).
package coordinator

import (
	"context"
	"log/slog"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Config is what a Coordinator uses. All fields must be set.
type Config struct {
	Store   queue.Store
	Tasks   asynqtask.Client
	Metrics Metrics
	Log     *slog.Logger

	// ShardSlots is how many shards this process runs at once.
	ShardSlots int
	// RedisBudget is how many bytes a job may keep in Redis; 0 means any.
	RedisBudget int64

	// Apart lets the code of a job in that runs carefully, unless
	// another run of this process may kill its worker. leave must be
	// called once, when the code has returned.
	Apart func() (leave func(), ok bool)

	// HeartbeatEvery is the interval of heartbeats.
	HeartbeatEvery time.Duration
	// SilentAfter is how long a shard's worker may send no heartbeat
	// before it counts as crashed.
	SilentAfter time.Duration
	// Grace is how long workers have to send a heartbeat again after
	// Redis did not answer.
	Grace time.Duration
}

// Metrics counts what coordinators do.
type Metrics interface {
	ShardReplaced(kind, reason string)
}

// Coordinator runs the jobs that this process has claimed. Make it with
// New. It is safe for concurrent use.
type Coordinator struct {
	config Config
	slots  *slotCount
}

// New makes a coordinator. It does not touch Redis.
func New(c Config) *Coordinator {
	return &Coordinator{c, &slotCount{tasks: c.Tasks, own: c.ShardSlots}}
}

// Job is a job that this process has claimed.
type Job struct {
	Kind    job.Kind
	Lease   queue.Lease
	Payload tasks.Job
	Env     job.Env

	// Call calls the job's own code. It may return before the code
	// does, with the cause of ctx, if the code does not obey ctx.
	Call func(ctx context.Context, code func() error) error
	// TurnOver is closed when others shall have the slot. It is nil if
	// that never happens.
	TurnOver <-chan struct{}
	// Gauge receives the progress after each heartbeat.
	Gauge Gauge
	// WriteResult stores the progress where asynqmon shows it.
	WriteResult func([]byte)
}

// Gauge shows the progress of a job.
type Gauge interface {
	Show(tasks.Progress)
}

// Run runs a job and returns its result. It stops early, with the
// cause, when ctx ends; with outcome.ErrTurn when the turn of a sharded
// job is over before it finishes; and with queue.ErrFenced when the job is not
// this process's any more.
func (c *Coordinator) Run(ctx context.Context, j Job) (tasks.Result, error) {
	r := &run{config: &c.config, slots: c.slots, job: j}
	r.progress = newReporter(r)
	r.progress.started(ctx)
	if j.Kind.Single != nil {
		return r.single(ctx)
	}
	return r.sharded(ctx)
}

// run is one run of a job in this process.
type run struct {
	config   *Config
	slots    *slotCount
	job      Job
	progress *reporter
}
