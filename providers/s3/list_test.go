package s3_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// lists answers every request with a listing of the given elements.
func lists(elements ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, s3test.Listing(strings.Join(elements, "")))
	}
}

func TestList_ChecksTheAnswer(t *testing.T) {
	t.Parallel()
	const encoded, truncated = `<EncodingType>url</EncodingType>`, `<IsTruncated>true</IsTruncated>`
	a, b := s3test.Entry("A"), s3test.Entry("b")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
		kind   providers.Kind
	}{
		"Encoded":           {lists(encoded, s3test.Entry("a+b%2Bc%01")), "a b+c\x01", ""},
		"NotEncoded":        {lists(s3test.Entry("a+b%2B")), "a+b%2B", ""},
		"BadEncoding":       {lists(encoded, s3test.Entry("%zz")), "", providers.Unavailable},
		"StartAfterIgnored": {lists(a, s3test.Entry("B")), "B", ""},
		"Unordered":         {lists(b, s3test.Entry("a")), "b", providers.Invalid},
		"Repeated":          {lists(b, b), "b", providers.Invalid},
		"NoToken":           {lists(b, truncated), "b", providers.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := s3test.OpenHandler(t, c.answer)
			var keys []string
			var failed error
			for o, err := range b.List(t.Context(), providers.ListOptions{After: "A"}) {
				if failed = err; err == nil {
					keys = append(keys, o.Key)
				}
			}
			if got := strings.Join(keys, ","); got != c.want || providers.KindOf(failed) != c.kind {
				t.Errorf("got %q and %v, want %q and %q", got, failed, c.want, c.kind)
			}
		})
	}
}

// A listing with the option Direct fails at once on a server that
// ignores start-after.
func TestList_DirectNeedsStartAfter(t *testing.T) {
	t.Parallel()
	b := s3test.OpenHandler(t, lists(s3test.Entry("A"), s3test.Entry("B")))
	for o, err := range b.List(t.Context(), providers.ListOptions{After: "A", Direct: true}) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != "StartIgnored" || e.Op != "list" {
			t.Errorf("got %v, %v", o, err)
		}
	}
}

// A listing that ends at a page's last key or before requests no
// further page.
func TestList_ThroughStopsPaging(t *testing.T) {
	t.Parallel()
	page := lists(s3test.Entry("A"), s3test.Entry("B"),
		`<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>`)
	for _, through := range []string{"A", "AB", "B"} {
		var pages atomic.Int64
		b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
			pages.Add(1)
			page(w, r)
		})
		for o, err := range b.List(t.Context(), providers.ListOptions{Through: through}) {
			if err != nil || o.Key > through {
				t.Errorf("through %s: %v, %v", through, o, err)
			}
		}
		if pages.Load() != 1 {
			t.Errorf("through %s: %d pages", through, pages.Load())
		}
	}
}

// pagesOf lists keys as S3 does, 1000 in a page, and counts the
// requests. A server that does not know start-after begins with the
// first key.
func pagesOf(keys []string, knowsStart bool, requests *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		after := r.FormValue("continuation-token")
		if after == "" && knowsStart {
			after = r.FormValue("start-after")
		}
		at, found := slices.BinarySearch(keys, after)
		if found {
			at++
		}
		end := min(at+1000, len(keys))
		var body strings.Builder
		for _, key := range keys[at:end] {
			body.WriteString(s3test.Entry(key))
		}
		if end < len(keys) {
			_, _ = fmt.Fprintf(&body, "<IsTruncated>true</IsTruncated>"+
				"<NextContinuationToken>%s</NextContinuationToken>", keys[end-1])
		}
		_, _ = io.WriteString(w, s3test.Listing(body.String()))
	}
}

func TestList_InParallel(t *testing.T) {
	t.Parallel()
	keys := make([]string, 20_500)
	for i := range keys {
		keys[i] = fmt.Sprintf("images/%06d.jpg", i)
	}
	for name, knowsStart := range map[string]bool{"StartAfter": true, "StartAfterIgnored": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server := s3test.OpenHandler(t, pagesOf(keys, knowsStart, &requests))
			b := fastlist.WithParallelListing(server, 8)
			var got []string
			for o, err := range b.List(t.Context(), providers.ListOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, o.Key)
			}
			if !slices.Equal(got, keys) || requests.Load() > 21+3+16 {
				t.Errorf("%d keys, %d requests", len(got), requests.Load())
			}
		})
	}
}
