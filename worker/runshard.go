package worker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

var errBadShard = errors.New("bad shard task")

// runShard is one attempt at one shard. A shard that cannot be done notes why
// in the job's record and is done with: the coordinator ends the job.
func (w *Worker) runShard(ctx context.Context, e entry, t *asynq.Task) (fate, error) {
	var ref queue.ShardRef
	if err := json.Unmarshal(t.Payload(), &ref); err != nil || e.sharded == nil {
		return failed, fmt.Errorf("not a shard of a sharded job: %w", errors.Join(err, errBadShard))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, queue.ShardTimeout, errSlow)
	defer cancel()
	a, err := w.records.Start(ctx, ref)
	if err == nil && !a.Wanted {
		return dropped, nil
	}
	if err == nil {
		err = w.work(ctx, e, ref, a)
	}
	f := judge(ctx, err, failures(ctx), e.Policy.Attempts)
	late, cancel := late(ctx)
	defer cancel()
	switch f {
	case failed:
		if noted := w.records.Fail(late, ref.Job, *failure(err)); noted != nil {
			return judge(ctx, noted, 0, 2), noted
		}
	case again, wait, handover:
		err = pausing(f, err, failures(ctx))
		if left := w.records.Leave(late, ref, pauseOf(err)); left != nil {
			w.log.Debug("shard left without a word", "task", ref.TaskID(), "error", left)
		}
	case done, dropped, lost, cancelled:
	}
	return f, err
}

// lastWords is how long an attempt that has ended tries to write down what
// came of it.
const lastWords = 30 * time.Second

// late is a context for what must still be written down when the attempt's
// own has ended.
func late(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastWords)
}

// work does what is left of a shard. Whatever ends it, what was done of it is
// kept.
func (w *Worker) work(ctx context.Context, e entry, ref queue.ShardRef, a queue.Assignment) error {
	j, err := decode(e, a.Payload)
	if err != nil {
		return err
	}
	var s job.Shard
	if err := json.Unmarshal(a.Shard, &s); err != nil {
		return fmt.Errorf("shard %d of job %s: %w", ref.Shard, ref.Job, err)
	}
	ctx, live, of, leave := w.pulses.join(ctx, ref)
	defer leave()
	r := &shardRun{w: w, kind: e.Name, ref: ref, live: live, of: of, kept: time.Now()}
	r.piece = queue.Piece{From: a.Resume, To: a.Resume, Run: rand.Text()}
	env := w.env(e, ref.Job, nil)
	if a.Crashes >= carefulAfter || a.At != "" { // a run that has a suspect must look at nothing else before it
		env.Log.Warn("workers died at this shard: one object at a time", "shard", ref.Shard, "crashes", a.Crashes)
		env.BeforeObject = r.starting
		defer r.rest()
	}
	if a.Strikes >= strikesOut {
		if err := r.convict(ctx, a); err != nil {
			return err
		}
	}
	if r.piece.To != "" {
		s.After = r.piece.To
	}
	err = job.Guard(func() error {
		for item, err := range e.sharded.Work(ctx, j, env, s) {
			if err == nil {
				err = r.take(ctx, item)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return r.commit(ctx, true)
	}
	if errors.Is(context.Cause(ctx), errUnwanted) { // whatever the job made of it; and nobody wants what it has done
		return errUnwanted
	}
	r.salvage(ctx)
	return err
}

// How a shard that kills its workers is dealt with. The first crash is
// nobody's fault: machines go away. After the second one in the same place
// objects are dealt with one at a time, each noted before it is touched; and
// the object at which a worker then died twice goes on the error list.
const (
	carefulAfter = 2
	strikesOut   = 2
	// codeKills is the code of such an object.
	codeKills = "kills-worker"
)

// shardRun is one run of one shard.
type shardRun struct {
	w     *Worker
	kind  string
	ref   queue.ShardRef
	live  *live
	of    *pulse
	piece queue.Piece // since the last commit
	kept  time.Time   // when that was
	alone bool        // it has this process's turn to touch a suspect
}

// A run commits what it has so often, and when it has so much, so that little
// is lost with its worker.
const (
	keepEvery = 10 * time.Second
	keepBytes = 4 << 20
)

func (r *shardRun) take(ctx context.Context, i job.Item) error {
	r.add(i)
	if time.Since(r.kept) < keepEvery && len(r.piece.Data) < keepBytes {
		return nil
	}
	return r.commit(ctx, false)
}

func (r *shardRun) add(i job.Item) {
	p := &r.piece
	p.To = i.Key
	p.Data = append(p.Data, i.Data...)
	p.Objects++
	p.Bytes += i.Bytes
	if i.Error != nil {
		p.Errors = append(p.Errors, *i.Error)
	}
	if i.Tally != "" {
		if p.Tally == nil {
			p.Tally = map[string]int64{}
		}
		p.Tally[i.Tally]++
	}
	r.live.add(i.Bytes, i.Error != nil)
}

// starting is called before each object of a careful run: what came before is
// committed, so that the run goes on at this object if its worker dies now.
// Careful runs of one process take turns, or each would have an object that
// looks guilty.
func (r *shardRun) starting(ctx context.Context, key string) error {
	if r.piece.Objects > 0 {
		if err := r.commit(ctx, false); err != nil {
			return err
		}
	}
	r.rest()
	select {
	case r.w.turn <- struct{}{}:
		r.alone = true
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return r.w.records.At(ctx, r.ref, key)
}

// rest lets another careful run have its turn. What was touched in this one
// is committed, or is not counted on.
func (r *shardRun) rest() {
	if r.alone {
		r.alone = false
		<-r.w.turn
	}
}

// convict puts the object at which workers died on the error list.
func (r *shardRun) convict(ctx context.Context, a queue.Assignment) error {
	r.add(job.Item{Key: a.At, Error: &tasks.ObjectError{
		Key: a.At, Code: codeKills, Message: fmt.Sprintf("%d workers died while they dealt with this object alone; it is left out", a.Strikes),
	}})
	return r.commit(ctx, false)
}

// salvage commits what a run has done that ends with an error. It is no loss
// if that fails too.
func (r *shardRun) salvage(ctx context.Context) {
	if r.piece.Objects == 0 {
		return
	}
	if err := r.commit(ctx, false); err != nil {
		r.w.log.Debug("checkpoint not kept", "task", r.ref.TaskID(), "error", err)
	}
}

// commitPatience is how long a piece of a shard is tried to be handed in
// while Redis is away.
const commitPatience = 2 * time.Minute

// commit hands in what was done since the last time. It outlives the
// attempt's own context: doing it again would cost far more, and a commit
// that comes late, or twice, does no harm.
func (r *shardRun) commit(ctx context.Context, last bool) error {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitPatience)
	defer cancel()
	r.piece.Last, r.piece.Budget = last, r.w.config.PartsBudget
	for {
		err := r.commitOnce(late)
		if !errors.Is(err, redisconn.ErrUnavailable) || late.Err() != nil {
			return err
		}
		select {
		case <-late.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

func (r *shardRun) commitOnce(ctx context.Context) error {
	r.of.sending.RLock()
	defer r.of.sending.RUnlock()
	counted, err := r.w.records.Commit(ctx, r.ref, r.piece)
	switch {
	case errors.Is(err, queue.ErrBudget):
		return errParts(r.w.config.PartsBudget, r.w.config.PartsBudget)
	case err != nil:
		return err
	case !counted:
		r.w.metrics.duplicates.WithLabelValues(r.kind).Inc()
		return errUnwanted
	}
	r.w.metrics.counted(r.kind, r.piece.Objects, int64(len(r.piece.Errors)))
	r.piece = queue.Piece{From: r.piece.To, To: r.piece.To, Run: r.piece.Run}
	r.kept = time.Now()
	r.live.reset()
	return nil
}
