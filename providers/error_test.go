package providers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

func TestErrorReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  providers.Error
		want string
	}{
		{providers.Error{Op: "get", Bucket: "b", Key: "a/1.jpg", Kind: providers.Denied, Code: "AccessDenied", Detail: "not you"}, "get a/1.jpg: denied: AccessDenied: not you"},
		{providers.Error{Op: "list", Bucket: "b", Kind: providers.NotFound}, "list bucket b: not-found"},
		{providers.Error{Op: "put", Bucket: "b", Key: "k", Kind: providers.Unavailable, Err: io.ErrUnexpectedEOF}, "put k: unavailable: unexpected EOF"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want providers.Kind
	}{
		{nil, ""},
		{errors.New("odd"), providers.Unavailable},
		{context.Canceled, providers.Unavailable},
		{providers.Denied, providers.Denied},
		{fmt.Errorf("while: %w", &providers.Error{Kind: providers.Throttled}), providers.Throttled},
		{&providers.Error{Kind: providers.Conflict, Err: providers.NotFound}, providers.Conflict},
	} {
		if got := providers.KindOf(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

func TestFailed(t *testing.T) {
	t.Parallel()
	if providers.Failed("get", "b", "k", nil) != nil {
		t.Error("nil became an error")
	}
	first := &providers.Error{Op: "get", Bucket: "b", Key: "k", Kind: providers.Denied}
	if again := providers.Failed("put", "c", "l", first); !errors.Is(again, first) {
		t.Errorf("got %v", again)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := providers.Failed("get", "b", "k", ctx.Err())
	if !providers.IsContext(ctx, ended) || !errors.Is(ended, providers.Unavailable) {
		t.Errorf("got %v", ended)
	}
	if providers.IsContext(t.Context(), ended) {
		t.Error("another context's end is taken for this one's")
	}
}

// Every kind of error has advice.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for _, kind := range []providers.Kind{
		providers.Invalid, providers.Unauthenticated, providers.Denied, providers.NotFound,
		providers.Conflict, providers.Throttled, providers.Unavailable, providers.Blocked,
	} {
		for _, key := range []string{"", "k"} {
			if advice := (&providers.Error{Op: "get", Bucket: "b", Key: key, Kind: kind}).Advice(); !strings.HasSuffix(advice, ".") {
				t.Errorf("%s: %q", kind, advice)
			}
		}
	}
	if got := (&providers.Error{Kind: providers.Denied, Fix: "Do this."}).Advice(); got != "Do this." {
		t.Errorf("got %q", got)
	}
}
