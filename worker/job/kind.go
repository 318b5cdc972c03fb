package job

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// Kind is a kind of job with the code that runs it. Either Single or
// Sharded is set.
type Kind struct {
	tasks.Kind
	Single  Single[tasks.Job]
	Sharded Sharded[tasks.Job]
}

// DecodeValid reads a payload and validates it. A panic of the
// payload's own code is an error, as guard.Call makes it.
func (k Kind) DecodeValid(payload []byte) (j tasks.Job, err error) {
	err = guard.Call(func() (err error) {
		if j, err = k.Decode(payload); err != nil {
			return err
		}
		return j.Validate()
	})
	return j, err
}

// AnySingle adapts a job to payloads of any type, so that one table can
// hold all jobs. The payload that the adapted job gets must be a J.
func AnySingle[J tasks.Job](s Single[J]) Single[tasks.Job] { return anySingle[J]{s} }

// AnySharded adapts a job as AnySingle does.
func AnySharded[J tasks.Job](s Sharded[J]) Sharded[tasks.Job] { return anySharded[J]{s} }

type anySingle[J tasks.Job] struct{ job Single[J] }

// Run implements Single.
func (a anySingle[J]) Run(ctx context.Context, j tasks.Job, env Env) (tasks.Result, error) {
	return a.job.Run(ctx, j.(J), env)
}

type anySharded[J tasks.Job] struct{ job Sharded[J] }

// Plan implements Sharded.
func (a anySharded[J]) Plan(
	ctx context.Context, j tasks.Job, env Env, after string, emit func(Shard) error,
) error {
	return a.job.Plan(ctx, j.(J), env, after, emit)
}

// Work implements Sharded.
func (a anySharded[J]) Work(
	ctx context.Context, j tasks.Job, env Env, s Shard,
) iter.Seq2[Item, error] {
	return a.job.Work(ctx, j.(J), env, s)
}

// Finish implements Sharded.
func (a anySharded[J]) Finish(
	ctx context.Context, j tasks.Job, env Env, parts Parts,
) (tasks.Result, error) {
	return a.job.Finish(ctx, j.(J), env, parts)
}
