package manifest

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/order"
	"github.com/stevedore-jobs/stevedore/worker/manifest/previous"
)

// Plan implements job.Sharded. It cuts all objects under the source's
// prefix into shards, without the manifest itself. It reads the
// manifest next to the listing, so that Work knows what is unchanged.
func (m Job) Plan(
	ctx context.Context, j tasks.BuildManifest, env job.Env,
	after string, emit func(job.Shard) error,
) error {
	b, err := openSource(ctx, j, env)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	if to, _ := j.Target(); after == "" {
		if err := env.CheckTarget(ctx, to); err != nil {
			return err
		}
		if err := order.Check(ctx, j, env.Open); err != nil {
			return err
		}
	}
	if !dialectOf(j).HasMeta {
		return env.Cut(ctx, b, after, shardSize, emit)
	}
	return m.planWithPrevious(ctx, j, env, b, after, emit)
}

func (m Job) planWithPrevious(
	ctx context.Context, j tasks.BuildManifest, env job.Env, b providers.Bucket,
	after string, emit func(job.Shard) error,
) error {
	to, key := j.Target()
	target, err := env.Open(ctx, to)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }()
	old, err := previous.Open(ctx, target, key)
	if err != nil {
		return err
	}
	if old == nil {
		env.Log.InfoContext(ctx, "may not read the earlier manifest, so reads all images")
		return env.Cut(ctx, b, after, shardSize, emit)
	}
	matcher := previous.NewMatcher(old, directory(key), isLexicographical(j), m.budget)
	defer matcher.Close()
	c := &comparing{Bucket: b, matcher: matcher, reader: newHeadReader(j, b, nil)}
	return env.Cut(ctx, c, after, shardSize, func(s job.Shard) error {
		var facts *previous.Facts
		if !s.More {
			f, err := matcher.Facts(ctx, after != "")
			if err != nil {
				return err
			}
			facts = &f
		}
		s.Known = previous.Pack(c.known[:s.Objects], facts)
		c.known = append([]previous.Known(nil), c.known[s.Objects:]...)
		return emit(s)
	})
}

func isLexicographical(j tasks.BuildManifest) bool {
	return j.Sorting == "" || j.Sorting == tasks.SortingLexicographical
}

// comparing is a bucket whose listing is compared with the earlier
// manifest.
type comparing struct {
	providers.Bucket
	matcher *previous.Matcher
	reader  headReader
	known   []previous.Known // of the objects that are listed and not emitted
}

// Unwrap lets providers.As look further.
func (c *comparing) Unwrap() providers.Bucket { return c.Bucket }

// List implements providers.Bucket.
func (c *comparing) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range c.Bucket.List(ctx, opts) {
			if err == nil {
				err = c.compare(ctx, o)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// compare finds the entry of an object. The entry of one that is no
// longer selected counts as removed.
func (c *comparing) compare(ctx context.Context, o providers.Object) (err error) {
	var k previous.Known
	if _, isDecided, _ := c.reader.byName(o); !isDecided {
		k, err = c.matcher.Match(ctx, o)
	}
	c.known = append(c.known, k)
	return err
}
