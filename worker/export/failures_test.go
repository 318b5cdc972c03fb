package export

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
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

// bodiesBucket counts the bodies that are open. Its Put fails once the
// first bytes of the image "second" have been read.
type bodiesBucket struct {
	providers.Bucket
	open        *atomic.Int64
	fetched     <-chan struct{}
	markFetched func()
}

func (b bodiesBucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	r, err := b.Bucket.Open(ctx, key, opts)
	if err != nil {
		return nil, err
	}
	b.open.Add(1)
	body := &countedBody{ReadCloser: r.ReadCloser, close: sync.OnceFunc(func() { b.open.Add(-1) })}
	if key == "second" {
		body.fetched = b.markFetched
	}
	return &providers.Reader{ReadCloser: body, Object: r.Object}, nil
}

func (b bodiesBucket) Put(ctx context.Context, _ string, _ io.Reader, _ providers.WriteOptions) (providers.Object, error) {
	select {
	case <-b.fetched:
	case <-ctx.Done():
	}
	return providers.Object{}, &providers.Error{Op: "put", Kind: providers.Denied}
}

type countedBody struct {
	io.ReadCloser
	close   func()
	fetched func() // may be nil; called when maxFirst bytes were read
	read    int
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.read += n; c.read >= maxFirst && c.fetched != nil {
		c.fetched()
	}
	return n, err
}

func (c *countedBody) Close() error {
	c.close()
	return c.ReadCloser.Close()
}

// Large images stay open until they are written. If the zip cannot be
// stored, those that were fetched ahead are closed too.
func TestFailure_ClosesImagesFetchedAhead(t *testing.T) {
	t.Parallel()
	large := append(testPNG(10, 10), make([]byte, maxHeld)...)
	w := newWorld(t, documentXML(imageXML("first", 10, 10), imageXML("second", 10, 10)),
		map[string][]byte{"first": large, "second": large})
	var open atomic.Int64
	fetched := make(chan struct{})
	markFetched := sync.OnceFunc(func() { close(fetched) })
	w.wrap = func(b providers.Bucket) providers.Bucket {
		return bodiesBucket{b, &open, fetched, markFetched}
	}
	if _, err := w.run(t.Context()); !errors.Is(err, providers.Denied) {
		t.Errorf("%v", err)
	}
	if n := open.Load(); n != 0 {
		t.Errorf("%d bodies are open", n)
	}
}
