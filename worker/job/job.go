// Package job is what a job is to the engine, and what the engine is to a job.
//
// A job is a single run, or a map and a reduce that all workers share. It sees buckets, its payload and a progress meter;
// it knows nothing of queues, Redis, retries or metrics. Everything a job does may be done twice, on two workers, at the
// same moment: its outputs' names follow from the payload alone, and its writes are whole or not at all.
package job

import (
	"context"
	"iter"
	"log/slog"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Single is a job done in one run on one worker.
type Single[J tasks.Job] interface {
	// Run does the job. An error ends or repeats it, as its providers.Kind says; what is wrong with one object alone goes
	// to env.Progress.Reject instead.
	Run(ctx context.Context, j J, env Env) (tasks.Result, error)
}

// Sharded is a job cut into shards that all workers share.
type Sharded[J tasks.Job] interface {
	// Plan emits the shards in key order. After a crash it is called again with after set to the Through of the last shard
	// that was kept, and goes on from there. Shards already run while later ones are planned.
	Plan(ctx context.Context, j J, env Env, after string, emit func(Shard) error) error
	// Work does one shard. The same shard may be worked on twice at once; the first part wins.
	Work(ctx context.Context, j J, env Env, s Shard) (Part, error)
	// Finish puts the parts together, in shard order. The parts may be read more than once.
	Finish(ctx context.Context, j J, env Env, parts iter.Seq2[Part, error]) (tasks.Result, error)
}

// Env is what the engine gives to a job. It may be used by many goroutines at once.
type Env struct {
	ID       string       // of the job
	Log      *slog.Logger // with the job's ID and kind on it
	Progress *Progress    // of this run or shard
	Parallel int          // how many requests to a bucket to have in flight; at least 1
	// Open connects to a storage. The job closes the bucket.
	Open func(ctx context.Context, s tasks.Storage) (providers.Bucket, error)
}

// Shard is a range of keys: those greater than After, up to and with Through.
type Shard struct {
	After   string `json:"after"`
	Through string `json:"through"`
	Objects int64  `json:"objects"` // in the range when it was planned, for the progress total
}

// Part is what one shard made. The engine keeps it compressed in Redis until the job ends.
type Part struct {
	Data  []byte           // for example the shard's manifest lines
	Tally map[string]int64 // counts that Finish adds up
}
