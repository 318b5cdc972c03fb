package fastlist_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// BenchmarkList lists a million objects with 16 streams and with one.
// The store takes 80 ms for each page of 1000. The clock is that of
// synctest, so the times are exact, and do not include the processor's:
// BenchmarkListCost measures that.
func BenchmarkList(b *testing.B) {
	const n = 1_000_000
	for _, shape := range shapes() {
		b.Run(shape.name, func(b *testing.B) {
			keys := shape.make(n)
			for b.Loop() {
				one, pages := timed(b, keys, 1)
				many, lists := timed(b, keys, 16)
				b.ReportMetric(one.Seconds(), "s/1-stream")
				b.ReportMetric(many.Seconds(), "s/16-streams")
				b.ReportMetric(one.Seconds()/many.Seconds(), "times-faster")
				b.ReportMetric(100*float64(lists-pages)/float64(pages), "%-more-LISTs")
			}
		})
	}
}

// timed lists everything in simulated time. synctest needs a test, so
// the benchmark runs one.
func timed(b *testing.B, keys []string, streams int) (took time.Duration, lists int64) {
	b.Helper()
	list := func(t *testing.T) {
		s := &simulated{keys: keys, page: 1000, latency: func() time.Duration { return 80 * time.Millisecond }}
		start, n := time.Now(), 0
		for o, err := range fastlist.WithParallelListing(s, streams).List(t.Context(), providers.ListOptions{}) {
			if err != nil || n >= len(keys) || o.Key != keys[n] {
				t.Fatalf("object %d: %v, %v", n, o, err)
			}
			n++
		}
		if n != len(keys) {
			t.Fatalf("%d objects of %d", n, len(keys))
		}
		took, lists = time.Since(start), s.lists.Load()
	}
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, list) }}}) {
		b.FailNow()
	}
	return took, lists
}

// BenchmarkListCost measures what 16 streams cost the processor for
// each page, compared with one. The store takes no time at all.
func BenchmarkListCost(b *testing.B) {
	for _, shape := range shapes() {
		keys := shape.make(1_000_000)
		for name, streams := range map[string]int{"1-stream": 1, "16-streams": 16} {
			b.Run(shape.name+"/"+name, func(b *testing.B) {
				pages := 0
				for b.Loop() {
					if got, err := providertest.Keys(b.Context(), fastlist.WithParallelListing(&simulated{keys: keys, page: 1000}, streams), providers.ListOptions{}); err != nil || len(got) != len(keys) {
						b.Fatal(len(got), err)
					}
					pages += len(keys) / 1000
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(pages), "µs/page")
			})
		}
	}
}
