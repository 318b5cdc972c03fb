package worker_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// BenchmarkTurns runs two jobs at once whose shards take half a minute,
// so that they take turns, and compares the time with twice that of one
// job alone. It also measures how long a small job takes that comes
// meanwhile.
func BenchmarkTurns(b *testing.B) {
	c := newConfig(b, queuetest.Start(b).Options())
	c.Log = slog.New(slog.DiscardHandler)
	c.JobSlots = 3
	work := &slowJob{shards: map[string]int{"a": 2, "b": 2}, objects: 1200}
	startWorker(b, c, testJobs{other: work})
	p := newClient(b, c.Redis)
	var ratios, waits []float64
	for b.Loop() {
		alone := runToEnd(b, p, onBucket("a"))
		var ids []string
		for _, bucket := range []string{"a", "b"} {
			id, err := p.Enqueue(b.Context(), onBucket(bucket))
			if err != nil {
				b.Fatal(err)
			}
			ids = append(ids, id)
		}
		_ = elapse(b.Context(), 5*time.Second)
		small := runToEnd(b, p, onBucket("small"))
		var both []tasks.Status
		for _, id := range ids {
			both = append(both, waitForJob(b, p, id, 20*time.Minute))
		}

		from, to := both[0].Started, both[1].Finished
		if both[0].Finished.After(to) {
			to = both[0].Finished
		}
		one, two := alone.Finished.Sub(alone.Started), to.Sub(from)
		wait := small.Finished.Sub(small.Created)
		b.Logf("one job %v, two %v, the small one %v", one, two, wait)
		ratios = append(ratios, two.Seconds()/(2*one.Seconds()))
		waits = append(waits, wait.Seconds())
	}
	b.ReportMetric(median(ratios), "time/twice-one's")
	b.ReportMetric(median(waits), "small-job-s")
}
