package manifest

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/previous"
)

// Work implements job.Sharded. It makes the manifest's lines of one
// shard. Each object becomes an item: an entry, or skipped, or
// failed.
func (m Job) Work(
	ctx context.Context, j tasks.BuildManifest, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	if j.Video != "" {
		return m.video.Work(ctx, j, env, s)
	}
	return func(yield func(job.Item, error) bool) {
		b, err := openSource(ctx, j, env)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		defer func() { _ = b.Close() }()
		objects, err := m.objects(ctx, j, env, s, b)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		r := newHeadReader(j, b, m.sizes.Of(env.ID))
		var facts *previous.Facts
		if r.known, facts, err = previous.Unpack(s); err != nil {
			yield(job.Item{}, err)
			return
		}
		r.budget = m.budget
		count := counter{r, itemOf(j, s), s.Keys != nil}
		items := s.Items(ctx, env, objects, count.item)
		if facts != nil && len(objects) > 0 {
			items = withFacts(items, objects[len(objects)-1].Key, *facts)
		}
		items(yield)
	}
}

// withFacts adds the facts to the data of the item with a key.
func withFacts(
	items iter.Seq2[job.Item, error], key string, facts previous.Facts,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		for item, err := range items {
			if err == nil && item.Key == key {
				item.Data = append(item.Data, facts.Line()...)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}
