package export

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// failingBucket is a bucket whose operations fail on demand.
type failingBucket struct {
	providers.Bucket
	open func(key string) error
	put  error
}

func (b failingBucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if b.open != nil {
		if err := b.open(key); err != nil {
			return nil, err
		}
	}
	return b.Bucket.Open(ctx, key, opts)
}

func (b failingBucket) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	if b.put != nil {
		return providers.Object{}, b.put
	}
	return b.Bucket.Put(ctx, key, body, opts)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	at := func(key string, kind providers.Kind) func(string) error {
		return func(k string) error {
			if k != key {
				return nil
			}
			return &providers.Error{Op: "get", Bucket: "b", Key: k, Kind: kind}
		}
	}
	for name, c := range map[string]struct {
		open func(string) error
		put  error
		want providers.Kind
	}{
		"annotations missing": {at("annotations.xml", providers.NotFound), nil, providers.NotFound},
		"image vanished":      {at("x/a.png", providers.NotFound), nil, providers.Conflict},
		"image denied":        {at("x/a.png", providers.Denied), nil, providers.Denied},
		"image unavailable":   {at("x/a.png", providers.Unavailable), nil, providers.Unavailable},
		"put denied":          {nil, &providers.Error{Op: "put", Kind: providers.Denied}, providers.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fixtureDocument(), fixtureFiles())
			w.wrap = func(b providers.Bucket) providers.Bucket { return failingBucket{b, c.open, c.put} }
			_, err := w.run(context.Background())
			if providers.KindOf(err) != c.want {
				t.Errorf("%v, wanted %s", err, c.want)
			}
			if _, err := w.bucket().Stat(context.Background(), w.job.Key); !errors.Is(err, providers.NotFound) {
				t.Errorf("an object was stored: %v", err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	w := newWorld(t, fixtureDocument(), fixtureFiles())
	w.wrap = func(b providers.Bucket) providers.Bucket {
		return failingBucket{Bucket: b, open: func(key string) error {
			if key == "x/a.jpg" {
				cancel()
			}
			return nil
		}}
	}
	if _, err := w.run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := w.bucket().Stat(context.Background(), w.job.Key); !errors.Is(err, providers.NotFound) {
		t.Errorf("an object was stored: %v", err)
	}
}
