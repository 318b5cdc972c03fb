package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// runShard is one attempt at one shard. A shard that cannot be done notes why in the job's record and is done with: the
// coordinator ends the job.
func (w *Worker) runShard(ctx context.Context, e entry, t *asynq.Task) (fate, error) {
	var ref queue.ShardRef
	if err := json.Unmarshal(t.Payload(), &ref); err != nil || e.sharded == nil {
		return failed, fmt.Errorf("not a shard of a sharded job: %w", errors.Join(err, errBadShard))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, queue.ShardTimeout, errSlow)
	defer cancel()
	a, err := w.records.Assignment(ctx, ref)
	if err == nil && !a.Wanted {
		return done, nil
	}
	progress := new(job.Progress)
	if err == nil {
		err = job.Guard(func() error { return w.work(ctx, e, ref, a, progress) })
	}
	f := judge(ctx, err, failures(ctx), e.Policy.Attempts)
	if f != failed {
		return f, err
	}
	if noted := w.records.Fail(context.WithoutCancel(ctx), ref.Job, *failure(err)); noted != nil {
		return judge(ctx, noted, 0, 2), noted
	}
	return failed, err
}

var errBadShard = errors.New("bad shard task")

func (w *Worker) work(ctx context.Context, e entry, ref queue.ShardRef, a queue.Assignment, p *job.Progress) error {
	j, err := decode(e, a.Payload)
	if err != nil {
		return err
	}
	var s job.Shard
	if err := json.Unmarshal(a.Shard, &s); err != nil {
		return fmt.Errorf("shard %d of job %s: %w", ref.Shard, ref.Job, err)
	}
	part, err := e.sharded.Work(ctx, j, w.env(e, ref.Job, p), s)
	if err != nil {
		return err
	}
	return w.commit(ctx, e, ref, queue.Commit{Part: encodePart(part), Errors: p.Errors(), Counts: p.Counts()})
}

// commitPatience is how long a finished shard tries to hand itself in while Redis is away.
const commitPatience = 2 * time.Minute

// commit hands in a finished shard. It outlives the attempt's own context: doing the shard again would cost far more, and
// a commit that comes late, or twice, does no harm.
func (w *Worker) commit(ctx context.Context, e entry, ref queue.ShardRef, c queue.Commit) error {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitPatience)
	defer cancel()
	for {
		first, err := w.records.Commit(late, ref, c)
		switch {
		case err == nil:
			w.metrics.committed(e.Name, first, c.Counts)
			return nil
		case !errors.Is(err, queue.ErrAway) || late.Err() != nil:
			return err
		}
		select {
		case <-late.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

// encodePart writes the tally as one JSON line and the data after it.
func encodePart(p job.Part) []byte {
	tally, _ := json.Marshal(p.Tally) // strings and integers always marshal
	return append(append(tally, '\n'), p.Data...)
}

func decodePart(b []byte) (job.Part, error) {
	tally, data, ok := bytes.Cut(b, []byte("\n"))
	p := job.Part{Data: data}
	if err := json.Unmarshal(tally, &p.Tally); err != nil || !ok {
		return p, fmt.Errorf("a part in Redis is damaged: %w", errors.Join(err, errBadShard))
	}
	return p, nil
}

// shardFailed is the error of a job whose shard has noted a failure.
func shardFailed(f *tasks.Failure) error {
	if f == nil {
		return nil
	}
	return &notedError{*f}
}

// notedError carries a failure from a shard, through Redis, to the coordinator that ends the job with it.
type notedError struct{ failure tasks.Failure }

func (e *notedError) Error() string { return e.failure.Message }
