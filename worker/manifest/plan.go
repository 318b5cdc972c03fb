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
	if j.Video != "" {
		return m.video.Plan(ctx, j, env, after, emit)
	}
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
	if j.Inventory != nil {
		l, err := m.openInventory(ctx, j, env)
		if err != nil {
			return err
		}
		defer l.Close()
		rows, next := l.Rows(), emit
		b, emit = rows, func(s job.Shard) error { return next(rows.Place(s)) }
	}
	c, err := m.compareWithPrevious(ctx, j, env, b)
	if err != nil {
		return err
	}
	if c == nil {
		return env.Cut(ctx, b, after, shardSize, emit)
	}
	defer c.close()
	return env.Cut(ctx, c, after, shardSize, func(s job.Shard) (err error) {
		if s.Known, err = c.take(ctx, s, after != ""); err != nil {
			return err
		}
		return emit(s)
	})
}

// compareWithPrevious opens the manifest of an earlier run and returns
// the source with a listing that is compared with it. It returns nil if
// the manifest may not be read, or the dialect has no ETags.
func (m Job) compareWithPrevious(
	ctx context.Context, j tasks.BuildManifest, env job.Env, source providers.Bucket,
) (*comparing, error) {
	if !dialectOf(j).HasMeta {
		return nil, nil
	}
	to, key := j.Target()
	target, err := env.Open(ctx, to)
	if err != nil {
		return nil, err
	}
	old, err := previous.Open(ctx, target, key)
	if err != nil || old == nil {
		_ = target.Close()
		return nil, err
	}
	return &comparing{
		Bucket: source, target: target, reader: newHeadReader(j, source, nil),
		matcher: previous.NewMatcher(old, directory(key), isLexicographical(j), m.budget),
	}, nil
}

func isLexicographical(j tasks.BuildManifest) bool {
	return j.Sorting == "" || j.Sorting == tasks.SortingLexicographical
}

// comparing is a bucket whose listing is compared with the earlier
// manifest.
type comparing struct {
	providers.Bucket
	target  providers.Bucket // where the manifest is
	matcher *previous.Matcher
	reader  headReader
	known   []previous.Known // of the objects that are listed and not emitted
}

func (c *comparing) close() {
	c.matcher.Close()
	_ = c.target.Close()
}

// take returns what is known of the objects of the next shard. With the
// last shard go the facts. resumed says that the listing did not begin
// at its start.
func (c *comparing) take(ctx context.Context, s job.Shard, resumed bool) ([]byte, error) {
	known := c.known[:s.Objects]
	c.known = append([]previous.Known(nil), c.known[s.Objects:]...)
	if s.More {
		return previous.Pack(known, nil), nil
	}
	facts, err := c.matcher.Facts(ctx, resumed)
	return previous.Pack(known, &facts), err
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
