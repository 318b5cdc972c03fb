package pacer_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/providers/pacer"
)

// refusing throttles some requests, and records which were made.
type refusing struct {
	providers.Bucket
	times int
	after time.Duration
	kind  providers.Kind
	asked []string
}

func (r *refusing) refuse(op, key string) error {
	r.asked = append(r.asked, op)
	if len(r.asked) > r.times {
		return nil
	}
	e := throttled(op, key, r.after)
	if r.kind != "" {
		e.Kind = r.kind
	}
	return e
}

func (r *refusing) Stat(ctx context.Context, key string) (providers.Object, error) {
	if err := r.refuse("stat", key); err != nil {
		return providers.Object{}, err
	}
	return r.Bucket.Stat(ctx, key)
}

func (r *refusing) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if err := r.refuse("get", key); err != nil {
		return nil, err
	}
	return r.Bucket.Open(ctx, key, opts)
}

func (r *refusing) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	if err := r.refuse("put", key); err != nil {
		return providers.Object{}, err
	}
	return r.Bucket.Put(ctx, key, body, opts)
}

func (r *refusing) Delete(ctx context.Context, key string) error {
	if err := r.refuse("delete", key); err != nil {
		return err
	}
	return r.Bucket.Delete(ctx, key)
}

func TestPacer_Retries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refusing
		op       string
		limit    time.Duration // of the context; 0 for no limit
		want     providers.Kind
		requests int
		from, to time.Duration
	}{
		"stat":                          {refusing{times: 2}, "stat", 0, "", 3, 1, time.Second},
		"get":                           {refusing{times: 2}, "get", 0, "", 3, 1, time.Second},
		"delete":                        {refusing{times: 2}, "delete", 0, "", 3, 1, time.Second},
		"never a put":                   {refusing{times: 2}, "put", 0, providers.Throttled, 1, 0, 0},
		"as late as the cloud says":     {refusing{times: 2, after: 4 * time.Second}, "stat", 0, "", 3, 8 * time.Second, 9 * time.Second},
		"not for ever":                  {refusing{times: 99}, "stat", 0, providers.Throttled, 8, 0, 30 * time.Second},
		"not longer than 30 seconds":    {refusing{times: 99, after: 12 * time.Second}, "stat", 0, providers.Throttled, 3, 24 * time.Second, 30 * time.Second},
		"not when asked to wait longer": {refusing{times: 99, after: time.Minute}, "stat", 0, providers.Throttled, 1, 0, 0},
		"not past the context":          {refusing{times: 99, after: 4 * time.Second}, "stat", 5 * time.Second, providers.Throttled, 2, 4 * time.Second, 5 * time.Second},
		"nothing but what is throttled": {refusing{times: 2, kind: providers.Unavailable}, "stat", 0, providers.Unavailable, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, start := t.Context(), time.Now()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}
				c.Bucket = memtest.Bucket(t, "k")
				err := ask(ctx, pacer.WithPacer(&c.refusing, pacer.New(4), "b"), c.op)
				if took := time.Since(start); providers.KindOf(err) != c.want || took < c.from || took > c.to {
					t.Errorf("after %v: %v", took, err)
				}
				if len(c.asked) != c.requests || slices.Compact(c.asked)[0] != c.op {
					t.Errorf("requests: %q", c.asked)
				}
			})
		})
	}
}

func ask(ctx context.Context, b providers.Bucket, op string) (err error) {
	switch op {
	case "stat":
		_, err = b.Stat(ctx, "k")
	case "get":
		_, err = b.Open(ctx, "k", providers.ReadOptions{})
	case "put":
		_, err = b.Put(ctx, "k", strings.NewReader("x"), providers.WriteOptions{})
	case "delete":
		err = b.Delete(ctx, "k")
	}
	return err
}

func TestPacer_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := &refusing{Bucket: memtest.Bucket(t, "k"), times: 99, after: 5 * time.Second}
		b := pacer.WithPacer(cloud, pacer.New(1), "b")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := ask(ctx, b, "stat")
		if !providers.IsContext(ctx, err) || !errors.Is(err, providers.Throttled) || time.Since(start) != time.Second {
			t.Errorf("between two tries, after %v: %v", time.Since(start), err)
		}
		for _, op := range []string{"stat", "get", "put", "delete"} {
			var e *providers.Error
			if err := ask(ctx, b, op); !providers.IsContext(ctx, err) || !errors.As(err, &e) || e.Op != op || e.Key != "k" {
				t.Errorf("%s on an ended context: %v", op, err)
			}
		}
		if len(cloud.asked) != 1 {
			t.Errorf("requests: %q", cloud.asked)
		}
	})
}
