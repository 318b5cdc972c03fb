package shard

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

const (
	// A run commits a checkpoint this often, and when it has this much
	// data, so that little is lost if its process dies.
	commitEvery = 10 * time.Second
	commitBytes = 4 << 20
	// commitPatience is how long a commit is tried while Redis does not
	// answer.
	commitPatience = 2 * time.Minute
	// commitPause is the pause between two tries.
	commitPause = time.Second
)

// run is one run of one shard.
type run struct {
	config Config
	task   Task
	member *member
	labels journal.Labels

	// mu guards the rest. The job's code may still run when the run is
	// closed: then it cannot add to the checkpoint any more.
	mu         sync.Mutex
	closed     bool
	checkpoint queue.Checkpoint // what was done since the last commit
	committed  time.Time        // when that was
}

func newRun(c Config, t Task, m *member) *run {
	return &run{
		config:     c,
		task:       t,
		member:     m,
		checkpoint: queue.Checkpoint{From: t.Lease.Resume, To: t.Lease.Resume},
		committed:  time.Now(),
	}
}

// work processes the objects of the shard.
func (r *run) work(ctx context.Context, payload tasks.Job, s job.Shard) error {
	for item, err := range r.task.Kind.Sharded.Work(ctx, payload, r.task.Env, s) {
		if err != nil {
			return err
		}
		if err := r.take(ctx, item); err != nil {
			return err
		}
		if err := r.member.turn.afterItem(); err != nil {
			return err
		}
	}
	return nil
}

// close ends what work may do. It waits for a commit under way.
func (r *run) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// take adds an item to the checkpoint, and commits it if it is time.
func (r *run) take(ctx context.Context, i job.Item) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return outcome.ErrObsolete
	}
	r.add(i)
	if time.Since(r.committed) < commitEvery && len(r.checkpoint.Data) < commitBytes {
		return nil
	}
	return r.commit(ctx, false)
}

// commitBefore commits what was done before the next object.
func (r *run) commitBefore(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return outcome.ErrObsolete
	case r.checkpoint.Objects == 0:
		return nil
	}
	return r.commit(ctx, false)
}

func (r *run) add(i job.Item) {
	c := &r.checkpoint
	c.To = i.Key
	c.Data = append(c.Data, i.Data...)
	c.Objects++
	c.Bytes += i.Bytes
	if i.Error != nil {
		c.Errors = append(c.Errors, *i.Error)
	}
	if c.Tally == nil {
		c.Tally = map[string]int64{}
	}
	if i.Tally != "" {
		c.Tally[i.Tally]++
	}
	for name, n := range i.Counts {
		c.Tally[name] += n
	}
	r.member.progress.add(i)
}

// salvage commits what a run has done that ends with an error. If that
// fails too, the work is done again.
func (r *run) salvage(ctx context.Context) {
	if r.checkpoint.Objects == 0 {
		return
	}
	if err := r.commit(ctx, false); err != nil {
		r.config.Log.Debug("checkpoint not committed",
			"job", r.task.Lease.Ref.Job, "task", r.task.Lease.Ref.TaskID(), "error", err)
	}
}

// commit commits the checkpoint. last says that the shard is done with
// it.
//
// A commit goes on after ctx has ended, because doing the work again
// would cost far more. A commit that comes late, or twice, does no
// harm.
func (r *run) commit(ctx context.Context, last bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitPatience)
	defer cancel()
	r.checkpoint.Last = last
	for {
		err := r.tryCommit(ctx)
		if !errors.Is(err, redisconn.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(commitPause):
		}
	}
}

func (r *run) tryCommit(ctx context.Context) error {
	resume := r.member.group.pauseHeartbeats()
	defer resume()
	counted, err := r.task.Lease.Commit(ctx, r.checkpoint)
	if err != nil {
		return err
	}
	if !counted {
		r.config.Metrics.DuplicateCommit(r.task.Kind.Name)
		return outcome.ErrObsolete
	}
	r.config.Metrics.ObjectsProcessed(r.labels, r.member.progress.counts())
	r.checkpoint = queue.Checkpoint{From: r.checkpoint.To, To: r.checkpoint.To}
	r.committed = time.Now()
	r.member.progress.reset()
	return nil
}
