package providertest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

func failing() suite {
	return suite{
		{"FailingBody", failingBody},
		{"CancelledPut", cancelledPut},
		{"CancelledCalls", cancelledCalls},
		{"ClosedTwice", closedTwice},
	}
}

var errBody = errors.New("the body broke")

func failingBody(t *testing.T, b providers.Bucket) {
	put(t, b, "old", "old")
	for _, size := range []int64{0, 100, medium} {
		for _, key := range []string{"old", "new", "new/dir/k"} {
			body := endingReader{generated(size), func() error { return errBody }}
			_, err := b.Put(t.Context(), key, body, providers.WriteOptions{})
			if !errors.Is(err, errBody) {
				t.Errorf("after %d bytes: %v, want the body's own error", size, err)
			}
		}
	}
	wantContent(t, b, "old", "old")
	wantKeys(t, b, 1)
}

func cancelledPut(t *testing.T, b providers.Bucket) {
	put(t, b, "old", "old")
	for _, size := range []int64{0, 100, medium} {
		for _, key := range []string{"old", "new"} {
			ctx, cancel := context.WithCancel(t.Context())
			body := endingReader{generated(size), func() error { cancel(); return io.EOF }}
			_, err := b.Put(ctx, key, body, providers.WriteOptions{})
			if !providers.IsContext(ctx, err) {
				t.Errorf("after %d bytes: %v, want the context's error", size, err)
			}
			cancel()
		}
	}
	wantContent(t, b, "old", "old")
	wantKeys(t, b, 1)
}

func cancelledCalls(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check := func(op string, err error) {
		t.Helper()
		wantKind(t, op, err, providers.Unavailable)
		if !providers.IsContext(ctx, err) {
			t.Errorf("%s: %v is not the context's error", op, err)
		}
	}
	_, err := b.Stat(ctx, "k")
	check("stat", err)
	_, err = b.Open(ctx, "k", providers.ReadOptions{})
	check("get", err)
	_, err = b.Put(ctx, "k", strings.NewReader("y"), providers.WriteOptions{})
	check("put", err)
	check("delete", b.Delete(ctx, "k"))
	wantContent(t, b, "k", "x")
}

// closedTwice closes the bucket once, and Run closes it again.
func closedTwice(t *testing.T, b providers.Bucket) {
	put(t, b, "k", "x")
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
