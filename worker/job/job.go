// Package job is what a job is to the engine, and what the engine is to a
// job.
//
// A job is a single run, or a map and a reduce that all workers share. It
// sees buckets and its payload, and tells how far it is; it knows nothing of
// queues, Redis, retries or metrics. Everything a job does may be done twice,
// on two workers, at the same moment: its outputs' names follow from the
// payload alone, and its writes are whole or not at all.
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
	// Run does the job. An error ends or repeats it, as its providers.Kind
	// says; what is wrong with one object alone goes to env.Progress.Reject
	// instead.
	Run(ctx context.Context, j J, env Env) (tasks.Result, error)
}

// Sharded is a job cut into shards that all workers share.
type Sharded[J tasks.Job] interface {
	// Plan emits the shards in key order. After a crash it is called again
	// with after set to the Through of the last shard that was kept, and goes
	// on from there. Shards already run while later ones are planned.
	Plan(ctx context.Context, j J, env Env, after string, emit func(Shard) error) error
	// Work deals with the objects of a shard, several at once, and yields
	// what came of each in key order. Whoever ranges over it may stop after
	// any object; Work is then called again, perhaps on another worker, with
	// After set to the last key that was kept. After an error nothing more is
	// yielded. The same shard may be worked on twice at once; the same
	// objects must give the same Data. When the loop is left, nothing of it
	// goes on.
	Work(ctx context.Context, j J, env Env, s Shard) iter.Seq2[Item, error]
	// Finish puts the parts together, once all shards are done. It too may be
	// called twice, even at once.
	Finish(ctx context.Context, j J, env Env, parts Parts) (tasks.Result, error)
}

// Env is what the engine gives to a job. It may be used by many goroutines at
// once.
type Env struct {
	ID       string       // of the job
	Log      *slog.Logger // with the job's ID and kind on it
	Progress *Progress    // of a single job's run; nil for sharded jobs, which yield items instead
	Parallel int          // how many requests to a bucket to have in flight; at least 1
	// Open connects to a storage. The job closes the bucket.
	Open func(ctx context.Context, s tasks.Storage) (providers.Bucket, error)
	// Starting, when set, is called before each object of a shard is touched,
	// one at a time and in key order, and may refuse: its error ends the work
	// before that object. The engine looks so for the object that kills its
	// worker. Ordered calls it.
	Starting func(ctx context.Context, key string) error
}

// Shard is a range of keys: those greater than After, up to and with Through.
// With Keys it is these alone.
type Shard struct {
	After   string `json:"after"`
	Through string `json:"through"`
	Objects int64  `json:"objects"` // in the shard when it was planned, for the progress total; it stays when After moves on
	// Keys, when set, are all the shard has, in ascending order: keys of the
	// error list of an earlier run. Those up to After are left out; Through
	// means nothing then.
	Keys []string `json:"keys,omitempty"`
}

// Item is what came of one object.
type Item struct {
	Key   string             // of the object
	Data  []byte             // its addition to the job's output, may be empty
	Tally string             // the name of the count it adds one to; may be empty
	Bytes int64              // read and written for it
	Fault *tasks.ObjectError // its line of the job's error list; nil when it was dealt with
}

// Parts is what the shards of a job made together.
type Parts struct {
	Tally  map[string]int64 // counts of the items, by Item.Tally
	Bytes  int64            // of all items' Bytes
	Size   int64            // of all data, bytes
	Failed int64            // items with a Fault
	// Data is the items' data in key order, in pieces of any size that end
	// with an item. It may be ranged over again, and yields the same each
	// time. A piece is good until the next one is asked for.
	Data iter.Seq2[[]byte, error]
	// Earlier is the result of the run that this one amends, as JSON, when
	// only the objects of its error list were worked on; else nil.
	Earlier []byte
}
