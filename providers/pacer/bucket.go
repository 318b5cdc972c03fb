package pacer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// WithPacer is a bucket whose requests keep to the limit of its name, which says
// what the cloud throttles: provider, endpoint and bucket. All buckets paced
// under one name share the limit. A request that has to wait its turn waits
// in line, as long as its context lasts.
//
// A turn of Stat and Delete lasts as long as they do. One of Open ends when
// the answer's head is there, since whoever reads an object may well ask the
// bucket for other things before it is through. One of Put ends with the
// upload if the body can seek, hence lies in memory or in a file; any other
// body may come out of the same bucket, so that turn ends at the first byte
// read. Listings take no turns: their pages are the provider's own affair.
// What is throttled lowers the limit, be it a listing.
//
// Stat, Open and Delete are tried again when they are throttled: at most 8
// times and for about 30 seconds, as far apart as the cloud says, or else
// ever further at random. A wait that would outlive either the 30 seconds or
// ctx is not begun.
//
// Put WithPacer around WithMeter, not inside: then each try is counted, the waiting
// is not, and the body still shows that it can seek.
func WithPacer(b providers.Bucket, p *Pacer, name string) providers.Bucket { return paced{b, p, name} }

type paced struct {
	providers.Bucket
	pacer *Pacer
	name  string
}

// Unwrap lets providers.As look further.
func (p paced) Unwrap() providers.Bucket { return p.Bucket }

func (p paced) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range p.Bucket.List(ctx, opts) {
			if err != nil {
				p.pacer.heed(p.name, err)
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

func (p paced) Stat(ctx context.Context, key string) (providers.Object, error) {
	return retry(ctx, p, "stat", key, func() (providers.Object, error) { return p.Bucket.Stat(ctx, key) })
}

func (p paced) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	return retry(ctx, p, "get", key, func() (*providers.Reader, error) { return p.Bucket.Open(ctx, key, opts) })
}

func (p paced) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (o providers.Object, err error) {
	t, err := p.pacer.enter(ctx, p.name)
	if err != nil {
		return providers.Object{}, providers.Failed("put", p.name, key, err)
	}
	end := sync.OnceFunc(t.leave)
	defer func() { end(); t.judge(err) }()
	if _, ok := body.(io.Seeker); !ok {
		body = handingOver{body, end}
	}
	return p.Bucket.Put(ctx, key, body, opts)
}

func (p paced) Delete(ctx context.Context, key string) error {
	_, err := retry(ctx, p, "delete", key, func() (any, error) { return nil, p.Bucket.Delete(ctx, key) })
	return err
}

// handingOver is a body that gives its Put's turn to the next in line before
// it is read: reading it may need one.
type handingOver struct {
	io.Reader
	end func()
}

func (b handingOver) Read(p []byte) (int, error) {
	b.end()
	return b.Reader.Read(p)
}

const (
	mostTries    = 8
	longestRetry = 30 * time.Second
	firstWait    = 200 * time.Millisecond // at most; then twice as much each time
	longestWait  = 10 * time.Second
)

// retry makes a request that can be repeated until it is answered by anything
// but throttling, or patience ends.
func retry[T any](ctx context.Context, p paced, op, key string, request func() (T, error)) (T, error) {
	end := time.Now().Add(longestRetry)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	var throttled error
	for try := 1; ; try++ {
		t, err := p.pacer.enter(ctx, p.name)
		if err != nil {
			var none T
			return none, p.ended(op, key, err, throttled)
		}
		v, err := take(t, request)
		if providers.KindOf(err) != providers.Throttled || try == mostTries {
			return v, err
		}
		throttled = err
		wait := waitAfter(err, try)
		if time.Now().Add(wait).After(end) {
			return v, err
		}
		if err := sleep(ctx, wait); err != nil {
			return v, p.ended(op, key, err, throttled)
		}
	}
}

// take makes one request in its turn.
func take[T any](t turn, request func() (T, error)) (v T, err error) {
	defer t.leave()
	v, err = request()
	t.judge(err)
	return v, err
}

// ended tells that the context was over before the bucket could be asked, and
// if so what it had answered before.
func (p paced) ended(op, key string, err, throttled error) error {
	if throttled != nil {
		err = fmt.Errorf("%w, after: %w", err, throttled)
	}
	return &providers.Error{Op: op, Bucket: p.name, Key: key, Kind: providers.Unavailable, Err: err}
}

// waitAfter is how long to wait after a throttled try: as long as the cloud
// says, and on top a random time up to a bound that doubles, so that those
// who were throttled together do not come back together.
func waitAfter(err error, try int) time.Duration {
	wait := rand.N(min(firstWait<<(try-1), longestWait))
	if e := (*providers.Error)(nil); errors.As(err, &e) {
		wait += e.RetryAfter
	}
	return wait
}

// sleep returns the context's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
