// Package job defines the interface between the engine and the jobs.
//
// A job is a single run, or a map and a reduce that all workers share.
// It gets a payload and buckets, and reports its progress. It knows
// nothing of queues, Redis, retries or metrics.
//
// Everything a job does may be done twice, by two workers, at the same
// time. So the names of its outputs follow from the payload alone, and
// each write stores the whole object or nothing.
package job

import (
	"context"
	"iter"
	"log/slog"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// Single is a job that one worker does in one run.
type Single[J tasks.Job] interface {
	// Run does the job. An error ends or repeats it, depending on its
	// providers.Kind. A problem with one object is no error: Run passes
	// it to env.Progress.Reject and continues.
	Run(ctx context.Context, j J, env Env) (tasks.Result, error)
}

// Sharded is a job cut into shards that all workers share.
type Sharded[J tasks.Job] interface {
	// Plan emits the shards in the order in which the bucket lists.
	// After a crash it is called again and continues after the key
	// after, which is the Through of the last stored shard. The first
	// shards run while later ones are planned.
	Plan(ctx context.Context, j J, env Env, after string, emit func(Shard) error) error

	// Work handles the objects of a shard, several at once, and yields
	// one item an object in the order of Shard.List. It yields nothing
	// after an error.
	//
	// The caller may stop after any item. Work is then called again,
	// perhaps on another worker, with After set to the last stored key.
	// Two workers may work on a shard at once. The same objects must
	// give the same Data. No goroutine may outlive the loop. The shards
	// in one process share what j refers to: Work must not change it.
	Work(ctx context.Context, j J, env Env, s Shard) iter.Seq2[Item, error]

	// Finish makes the job's output from the parts, once all shards are
	// done. It too may be called twice, even at once.
	Finish(ctx context.Context, j J, env Env, parts Parts) (tasks.Result, error)
}

// Env is what the engine gives to a job. It is safe for concurrent use.
type Env struct {
	ID       string       // of the job
	Log      *slog.Logger // has the job's ID and kind as attributes
	Progress *Progress    // of a single job; nil for sharded jobs, which yield items instead
	Parallel int          // how many requests to a bucket may run at once; at least 1
	Slots    int          // how many shards all workers run at once, for Plan; 0 counts as 1

	// Open connects to a storage. The job must close the bucket.
	Open func(ctx context.Context, s tasks.Storage) (providers.Bucket, error)

	// BeforeObject, if set, must be called before each object of a
	// shard is touched, for one object at a time and in order. Its
	// error ends the work before that object. The engine sets it to
	// find the object that crashes a worker. Shard.Items calls it.
	BeforeObject func(ctx context.Context, key string) error

	// MayBegin, if set, is asked before each object of a shard is
	// begun, in their order. Its error ends the work before that
	// object, and after those that were begun.
	// The engine sets it to give other jobs a turn. Shard.Items asks
	// it. Work that does not ask is stopped after an item instead,
	// and what it has begun is begun again.
	MayBegin func() error
}

// Shard is the range of keys behind After, up to and including Through,
// in the order in which the bucket lists. With Keys it is these keys
// alone.
type Shard struct {
	After   string `json:"after"`
	Through string `json:"through"`

	// Objects is how many objects the shard had when it was planned. It
	// counts towards the progress total and stays when After moves on.
	Objects int64 `json:"objects"`

	// More says that the shard was full when it was planned, so that
	// more objects may follow.
	More bool `json:"more,omitempty"`

	// Order is what was known of the bucket's order when the shard was
	// planned; 0 if nothing.
	Order keyorder.Order `json:"order,omitempty"`

	// Keys, if set, are all keys of the shard: objects that failed in
	// an earlier run. They have the order of code points: those up to
	// After are left out, and Through has no meaning.
	Keys []string `json:"keys,omitempty"`

	// Place, if set, is where the job's own list of objects has the
	// shard, which then has the order of that list. Only the job knows
	// its form, and List must not be called without a Listing.
	Place string `json:"place,omitempty"`

	// Listing, if set, holds the objects of the shard as they were
	// listed when it was planned, packed by package listing. Without
	// it, List lists the range again. The engine keeps it until the
	// shard is done, or drops it if the job has no room for it.
	Listing []byte `json:"-"`
}

// Item is the outcome of one object.
type Item struct {
	Key   string             // of the object
	Data  []byte             // its part of the job's output; may be empty
	Tally string             // the name of the count it adds 1 to; may be empty
	Bytes int64              // read and written for it
	Error *tasks.ObjectError // its line of the job's error list; nil without one
}

// Parts is what the shards of a job made together.
type Parts struct {
	Tally    map[string]int64 // how many items had each Item.Tally
	Codes    map[string]int64 // how many items had an Error with each code
	Bytes    int64            // sum of Item.Bytes
	Size     int64            // sum of the lengths of Item.Data
	Failed   int64            // items with an Error
	Warnings int64            // of these: items whose Error is a warning

	// Data yields the items' data in the order of the shards and of
	// their items, in pieces of any size that end with an item. It may
	// be ranged over again and yields the same bytes each time. A piece
	// is valid until the next one is yielded.
	Data iter.Seq2[[]byte, error]

	// Earlier is the result of an earlier run as JSON, if this run
	// worked only on the objects that failed then; else nil. Finish
	// merges the parts into the output of that run.
	Earlier []byte
}

// Sort returns the lines of Data in the order of their keys by code
// points, each key once. key returns the key of a line. If Data has
// another order, the budget pays until the lines are closed. The caller
// must close them, and must hold no share.
//
// Data itself has the order in which the bucket lists. It has a key
// twice if two shards had the object: that happens if objects at their
// border were deleted before the bucket's order was known.
func (p Parts) Sort(
	ctx context.Context, budget *memory.Budget, key func(line []byte) (string, error),
) (*linesort.Lines, error) {
	return linesort.Sorter{Key: key, Budget: budget}.Sort(ctx, p.Data)
}
