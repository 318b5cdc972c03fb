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
)

// A server that lists from the beginning whatever it is asked makes a listing
// that must be direct fail at once.
func TestListDirectNeedsStartAfter(t *testing.T) {
	t.Parallel()
	b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, listing(`<Contents><Key>A</Key></Contents><Contents><Key>B</Key></Contents>`))
	})
	for o, err := range b.List(t.Context(), providers.ListOptions{After: "A", Direct: true}) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != "StartIgnored" || e.Op != "list" {
			t.Errorf("got %v, %v", o, err)
		}
	}
}

// A listing that ends at a page's last key, or before it, needs no other
// page.
func TestListThroughAsksForNoPageMore(t *testing.T) {
	t.Parallel()
	for _, through := range []string{"A", "AB", "B"} {
		var pages atomic.Int64
		b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
			pages.Add(1)
			_, _ = io.WriteString(w, listing(`<Contents><Key>A</Key></Contents><Contents><Key>B</Key></Contents>`+
				`<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>`))
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

// pagesOf lists keys as S3 does, 1000 a page; one that knows no start-after
// begins at the beginning.
func pagesOf(keys []string, knowsStart bool, asked *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
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
			_, _ = fmt.Fprintf(&body, "<Contents><Key>%s</Key><Size>1</Size></Contents>", key)
		}
		if end < len(keys) {
			_, _ = fmt.Fprintf(&body, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", keys[end-1])
		}
		_, _ = io.WriteString(w, listing(body.String()))
	}
}

func TestListInParallel(t *testing.T) {
	t.Parallel()
	keys := make([]string, 20_500)
	for i := range keys {
		keys[i] = fmt.Sprintf("images/%06d.jpg", i)
	}
	for name, knowsStart := range map[string]bool{"StartAfter": true, "StartAfterIgnored": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			b := fastlist.WithParallelListing(faulty(t, pagesOf(keys, knowsStart, &asked)), 8)
			var got []string
			for o, err := range b.List(t.Context(), providers.ListOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, o.Key)
			}
			if !slices.Equal(got, keys) || asked.Load() > 21+3+16 {
				t.Errorf("%d keys, %d requests", len(got), asked.Load())
			}
		})
	}
}
