package fastlist

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
)

const (
	// pageSize is how many objects most clouds put on a page. If a
	// cloud has another size, that costs a few requests and nothing
	// else.
	pageSize = 1000
	// soloObjects is how many objects one stream lists before others
	// help.
	soloObjects = 3 * pageSize
)

// WithParallelListing makes the listings of a bucket use up to the
// given number of streams, that is requests at once. With fewer than
// two it returns b itself. All other operations are those of b.
func WithParallelListing(b providers.Bucket, streams int) providers.Bucket {
	if streams < 2 {
		return b
	}
	return bucket{b, streams}
}

type bucket struct {
	providers.Bucket
	streams int
}

// Unwrap lets providers.As look further.
func (b bucket) Unwrap() providers.Bucket { return b.Bucket }

// List implements providers.Bucket. It yields the keys in the order in
// which one stream would list them, whatever order that is.
func (b bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		l := newListing(b.Bucket, opts, b.streams)
		pageEnds, more := l.listAlone(ctx, yield)
		if !more {
			return
		}

		ctx, cancel := context.WithCancel(ctx)
		defer l.end(cancel)
		stop := context.AfterFunc(ctx, func() { l.wakeAll() })
		defer stop()
		l.start(ctx, pageEnds)
		for page, err := l.next(); page != nil || err != nil; page, err = l.next() {
			if err != nil {
				yield(providers.Object{}, err)
				return
			}
			for _, o := range page {
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// listAlone lists with one stream. If the keys are in a known order and
// there are so many that others should help, it stops, and returns the
// last key of each page.
func (l *listing) listAlone(
	ctx context.Context, yield func(providers.Object, error) bool,
) (pageEnds []string, more bool) {
	count, last, through := 0, "", l.opts.Through
	for o, err := range l.bucket.List(ctx, l.opts) {
		if err != nil {
			yield(providers.Object{}, err)
			return nil, false
		}
		if count > 0 {
			l.chain.order = l.chain.order.Narrow(last, o.Key)
		}
		if through != "" && l.chain.order.Before(through, o.Key) || !yield(o, nil) {
			return nil, false
		}
		last = o.Key
		count++
		if count%sampleEvery == 1 {
			l.keys.learn(o.Key)
		}
		if count%pageSize == 0 && count <= soloObjects {
			pageEnds = append(pageEnds, o.Key)
		}
		if count >= soloObjects && l.chain.order != 0 {
			return pageEnds, true
		}
	}
	return nil, false
}
