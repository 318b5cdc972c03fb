package countobjects

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Job runs the jobs. All workers share the shards of one job.
type Job struct{}

var _ job.Sharded[Payload] = Job{}

// shardSize is how many objects a shard has.
const shardSize = 1000

// Plan implements job.Sharded: it lists the bucket and cuts it into
// shards.
func (Job) Plan(
	ctx context.Context, p Payload, env job.Env, after string, emit func(job.Shard) error,
) error {
	b, err := env.Open(ctx, p.Source)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	return env.Cut(ctx, b, after, shardSize, emit)
}

// Work implements job.Sharded: each object gives a line with its
// extension and its size.
func (Job) Work(
	ctx context.Context, p Payload, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		b, err := env.Open(ctx, p.Source)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		defer func() { _ = b.Close() }()
		objects, err := s.List(ctx, b, env.Parallel)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		s.Items(ctx, env, objects, p.line)(yield)
	}
}

func (p Payload) line(_ context.Context, o providers.Object) (job.Item, error) {
	excluded := slices.ContainsFunc(p.Exclude, func(prefix string) bool {
		return strings.HasPrefix(o.Key, prefix)
	})
	if excluded {
		return job.Item{}, nil
	}
	extension := strings.ToLower(path.Ext(o.Key))
	return job.Item{Data: fmt.Appendf(nil, "%d %q\n", o.Size, extension)}, nil
}

// Finish implements job.Sharded: it adds up the lines of all shards.
func (Job) Finish(_ context.Context, _ Payload, _ job.Env, parts job.Parts) (tasks.Result, error) {
	r := Result{Extensions: map[string]Count{}}
	for data, err := range parts.Data {
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(data) {
			var size int64
			var extension string
			if _, err := fmt.Sscanf(string(line), "%d %q", &size, &extension); err != nil {
				return nil, err
			}
			count := r.Extensions[extension]
			count.Objects++
			count.Bytes += size
			r.Extensions[extension] = count
			r.Objects++
			r.Bytes += size
		}
	}
	return r, nil
}
