package pacer

import (
	"context"
	"io"
	"iter"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
)

// WithPacer limits the requests of a bucket to the limit of a name.
// The name says what the cloud throttles: provider, endpoint and
// bucket. All buckets with one name share its limit. A request that
// has no turn waits in a queue until its context ends.
//
// How long a turn lasts depends on the operation:
//
//   - Stat and Delete: until they return.
//   - Open: until the head of the answer is there. The caller may need
//     other requests before it has read the body.
//   - Put: until it returns, if the body is an io.Seeker, and so comes
//     from memory or a file. Any other body may come from the same
//     bucket, so the turn ends when the first byte is read.
//   - List takes no turns, because providers page internally. But a List
//     that is throttled lowers the limit too.
//
// Stat, Open and Delete are tried again when they are throttled: at
// most 8 times and for about 30 seconds. They wait as long as the
// cloud says, and a random time that grows. A wait that would end
// after the 30 seconds or after ctx is not begun.
//
// WithPacer belongs around WithMeter, not inside. Then the meter
// counts each try and no waiting, and the pacer sees whether a body
// is an io.Seeker.
func WithPacer(b providers.Bucket, p *Pacer, name string) providers.Bucket {
	return bucket{b, p, name}
}

type bucket struct {
	providers.Bucket
	pacer *Pacer
	name  string
}

// Unwrap lets providers.As look further.
func (b bucket) Unwrap() providers.Bucket { return b.Bucket }

func (b bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range b.Bucket.List(ctx, opts) {
			if err != nil {
				b.pacer.learnWithoutTurn(b.name, err)
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

func (b bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	return retry(ctx, b, operation{"stat", key}, func() (providers.Object, error) {
		return b.Bucket.Stat(ctx, key)
	})
}

func (b bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	return retry(ctx, b, operation{"get", key}, func() (*providers.Reader, error) {
		return b.Bucket.Open(ctx, key, opts)
	})
}

func (b bucket) Delete(ctx context.Context, key string) error {
	_, err := retry(ctx, b, operation{"delete", key}, func() (any, error) {
		return nil, b.Bucket.Delete(ctx, key)
	})
	return err
}

func (b bucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (o providers.Object, err error) {
	t, err := b.pacer.enter(ctx, b.name)
	if err != nil {
		return providers.Object{}, providers.Failed("put", b.name, key, err)
	}
	leave := sync.OnceFunc(t.leave)
	defer func() { leave(); t.learn(err) }()
	if _, ok := body.(io.Seeker); !ok {
		body = leavingReader{body, leave}
	}
	return b.Bucket.Put(ctx, key, body, opts)
}

// leavingReader ends the turn of a Put before the body is read,
// because reading it may need a turn.
type leavingReader struct {
	io.Reader
	leave func()
}

func (r leavingReader) Read(p []byte) (int, error) {
	r.leave()
	return r.Reader.Read(p)
}
