// Package providertest is the test suite that every provider passes.
//
// It knows providers.Bucket and its promises. It knows no cloud: the
// emulated servers that some providers need are in package servers.
package providertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

type suite []struct {
	name string
	run  func(*testing.T, providers.Bucket)
}

// Run checks that a provider keeps the promises of providers.Bucket.
// open returns an empty bucket that exists, a new one each time. The
// suite closes it. The tests run in parallel.
func Run(t *testing.T, open func(t testing.TB) providers.Bucket) {
	for _, tests := range []suite{listing(), reading(), writing(), failing(), checking()} {
		tests.run(t, open)
	}
}

// RunListing checks the promises about List alone: for a bucket that
// differs from another one only in the order of its keys.
func RunListing(t *testing.T, open func(t testing.TB) providers.Bucket) {
	listing().run(t, open)
	RunThrough(t, open(t))
}

func (s suite) run(t *testing.T, open func(t testing.TB) providers.Bucket) {
	for _, test := range s {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test.run(t, b)
		})
	}
}

// RunMissing checks the errors of a bucket that does not exist.
func RunMissing(t *testing.T, b providers.Bucket) {
	t.Run("MissingBucket", func(t *testing.T) {
		t.Parallel()
		ctx := t.Context()
		_, err := Keys(ctx, b, providers.ListOptions{})
		wantKind(t, "list", err, providers.NotFound)
		_, err = b.Stat(ctx, "k")
		wantKind(t, "stat", err, providers.NotFound)
		_, err = b.Open(ctx, "k", providers.ReadOptions{})
		wantKind(t, "get", err, providers.NotFound)
		_, err = b.Put(ctx, "k", bytes.NewReader([]byte("x")), providers.WriteOptions{})
		wantKind(t, "put", err, providers.NotFound)
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// Keys lists a bucket. If the listing fails, it returns the error and
// the keys before it.
func Keys(
	ctx context.Context, b providers.Bucket, opts providers.ListOptions,
) (keys []string, err error) {
	for o, err := range b.List(ctx, opts) {
		if err != nil {
			return keys, err
		}
		keys = append(keys, o.Key)
	}
	return keys, nil
}

func put(t testing.TB, b providers.Bucket, key, content string) providers.Object {
	t.Helper()
	opts := providers.WriteOptions{ContentType: "text/plain"}
	o, err := b.Put(t.Context(), key, bytes.NewReader([]byte(content)), opts)
	if err != nil {
		t.Fatalf("put %.60q: %v", key, err)
	}
	return o
}

func read(
	ctx context.Context, b providers.Bucket, key string, opts providers.ReadOptions,
) (string, providers.Object, error) {
	r, err := b.Open(ctx, key, opts)
	if err != nil {
		return "", providers.Object{}, err
	}
	data, err := io.ReadAll(r)
	return string(data), r.Object, errors.Join(err, r.Close())
}

// wantContent checks that a key holds exactly a content.
func wantContent(t testing.TB, b providers.Bucket, key, want string) {
	t.Helper()
	got, o, err := read(t.Context(), b, key, providers.ReadOptions{})
	if err != nil || got != want || o.Size != int64(len(want)) {
		t.Errorf("%.60q holds %.60q (size %d), want %.60q; error %v", key, got, o.Size, want, err)
	}
}

// wantKeys checks how many objects the bucket has.
func wantKeys(t testing.TB, b providers.Bucket, want int) {
	t.Helper()
	keys, err := Keys(t.Context(), b, providers.ListOptions{})
	if err != nil || len(keys) != want {
		t.Errorf("listed %q, want %d keys; error %v", keys, want, err)
	}
}

// wantKind checks the kind of an error, and that it says what failed.
func wantKind(t testing.TB, op string, err error, kind providers.Kind) {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: got %v, want an *Error that is %s", op, err, kind)
		return
	}
	if e.Kind != kind || e.Op != op || e.Bucket == "" {
		t.Errorf("got %q (op %q, bucket %q), want %s that is %s", err, e.Op, e.Bucket, op, kind)
	}
}
