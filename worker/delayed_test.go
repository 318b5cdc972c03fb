package worker_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// delayedJobs is how many jobs wait for their time in the tests that
// kill workers.
func delayedJobs() int {
	if os.Getenv(chaosVariable) == "full" {
		return 100_000
	}
	return 10_000
}

// enqueueDelayed enqueues jobs that must wait for a day.
func enqueueDelayed(t *testing.T, c *producer.Client, n int) {
	t.Helper()
	began := time.Now()
	_, err := job.Each(t.Context(), make([]struct{}, n), 8, func(_ context.Context, _ struct{}) (string, error) {
		return c.Enqueue(t.Context(), verify, producer.WithDelay(24*time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d delayed jobs were enqueued in %v", n, time.Since(began).Round(time.Millisecond))
}
