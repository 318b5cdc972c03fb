package fastlist

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
)

// WithParallelListing lists a large bucket in several streams at once and yields what
// they find in key order, each key once. It begins with one stream; when
// three pages have not been enough it guesses from the keys where some pages
// further on must be, and has other streams list from there. What lies ahead
// of the loop is kept, at most some pages a stream; then the streams wait.
// Where the server cannot start at a key, keys come unordered or a stream
// fails, one stream alone goes on, and its error is the listing's. Less than
// two streams is the bucket itself.
func WithParallelListing(b providers.Bucket, streams int) providers.Bucket {
	if streams < 2 {
		return b
	}
	return parallel{b, streams}
}

type parallel struct {
	providers.Bucket
	streams int
}

const (
	pageSize = 1000         // objects that most clouds put on a page; a wrong guess costs a few requests, nothing else
	patience = 3 * pageSize // objects that one stream lists before others help
)

// Unwrap lets providers.As look further.
func (p parallel) Unwrap() providers.Bucket { return p.Bucket }

func (p parallel) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		l := newListing(p, opts)
		marks, more := p.begin(ctx, l, yield)
		if !more {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer l.end(cancel)
		stop := context.AfterFunc(ctx, l.wakeAll)
		defer stop()
		l.start(ctx, marks)
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

// begin lists with one stream. When there is more than that should do alone,
// it returns the last key of each page.
func (p parallel) begin(ctx context.Context, l *listing, yield func(providers.Object, error) bool) (marks []string, more bool) {
	count, ordered, last := 0, true, l.opts.After
	for o, err := range p.Bucket.List(ctx, l.opts) {
		if err != nil {
			yield(providers.Object{}, err)
			return nil, false
		}
		if past(o.Key, l.opts.Through) || !yield(o, nil) {
			return nil, false
		}
		ordered = ordered && o.Key > last
		last = o.Key
		count++
		if count%sampling == 1 {
			l.alphabet.learn(o.Key)
		}
		if count%pageSize == 0 && count <= patience {
			marks = append(marks, o.Key)
		}
		if count >= patience && ordered {
			return marks, true
		}
	}
	return nil, false
}

// past reports whether a key is behind the end of a range. An empty end is
// behind every key.
func past(key, end string) bool { return end != "" && key > end }
