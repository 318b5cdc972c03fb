package inventory

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Rows is a bucket whose listing is the report's, for job.Env.Cut. The
// shards must be given to Place in the order in which they are cut, and
// have at most 2,000 objects.
type Rows struct {
	providers.Bucket
	list   *List
	places []place // of the objects that no shard has yet
}

// Rows returns the rows of the report as a bucket that lists them.
func (l *List) Rows() *Rows { return &Rows{Bucket: l.bucket, list: l} }

// Place returns the next shard with its Place. It has the order of the
// report.
func (p *Rows) Place(s job.Shard) job.Shard {
	s.Place, s.Order = p.places[0].String(), 0
	p.places = append([]place(nil), p.places[s.Objects:]...)
	return s
}

// List implements providers.Bucket. Of the options, only After counts:
// the objects behind that key in the order of the report.
func (p *Rows) List(
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
