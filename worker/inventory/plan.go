package inventory

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Plan emits shards of at most size objects each, as env.Cut does, from
// the object after the key after on. size is at most 2,000.
//
// The shards have the order of the report. Each has its Place.
func (l *List) Plan(
	ctx context.Context, env job.Env, after string, size int64, emit func(job.Shard) error,
) error {
	in := &planned{Bucket: l.bucket, list: l}
	return env.Cut(ctx, in, after, size, func(s job.Shard) error {
		s.Place, s.Order = in.take(s.Objects).String(), 0
		return emit(s)
	})
}

// planned is a bucket that lists what a report lists. It remembers the
// places of the objects that no shard has yet.
type planned struct {
	providers.Bucket
	list   *List
	places []place
}

// List implements providers.Bucket. Of the options, only After counts:
// the objects behind that key in the order of the report.
func (p *planned) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		begun := opts.After == ""
		for o, err := range p.list.objects(ctx, place{}) {
			if err == nil && !begun {
				begun = o.Key == opts.After
				continue
			}
			if err == nil {
				p.places = append(p.places, o.place)
			}
			if !yield(o.object(), err) || err != nil {
				return
			}
		}
		if !begun {
			yield(providers.Object{}, p.list.changed(opts.After))
		}
	}
}

// take forgets the places of the next n objects, and returns the first.
func (p *planned) take(n int64) place {
	first := p.places[0]
	p.places = append([]place(nil), p.places[n:]...)
	return first
}

// objects yields the rows of the job's objects, from a place on. A key
// that comes again among the next few thousand does not count.
func (l *List) objects(ctx context.Context, from place) iter.Seq2[placed, error] {
	return func(yield func(placed, error) bool) {
		recent := newWindow()
		for r, err := range l.rows(ctx, from) {
			if err == nil && (!l.has(r.Row) || !recent.add(r.Key)) {
				continue
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (p placed) object() providers.Object {
	return providers.Object{Key: p.Key, Size: p.Size, ETag: p.ETag}
}

// Shard returns the objects of a shard after its After. It reads the
// report again from the shard's Place: engines without room for the
// Listing of a shard have dropped it.
func (l *List) Shard(ctx context.Context, s job.Shard) ([]job.ListedObject, error) {
	from, err := parsePlace(s.Place)
	if err != nil {
		return nil, err
	}
	var objects []job.ListedObject
	for o, err := range l.objects(ctx, from) {
		if err != nil {
			return nil, err
		}
		if int64(len(objects)) > s.Objects+windowSize {
			break
		}
		objects = append(objects, job.ListedObject{Object: o.object()})
		if o.Key == s.After { // a run has stored what comes before
			objects = objects[:0]
		}
		if o.Key == s.Through {
			return objects, nil
		}
	}
	return nil, l.changed(s.Through)
}
