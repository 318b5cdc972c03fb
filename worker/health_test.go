package worker_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// A worker is ready while Redis answers and the worker does not stop.
// It is alive without Redis too.
func TestReadiness(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	r.Down()
	var runs atomic.Int32
	p := startWorker(t, newConfig(t, r.Options()), testJobs{verify: failing(&runs)})
	status := func(path string) int {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		out := httptest.NewRecorder()
		p.Handler().ServeHTTP(out, request)
		return out.Code
	}
	if got := status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz without Redis: %d", got)
	}
	if got := status("/livez"); got != http.StatusOK {
		t.Errorf("/livez without Redis: %d", got)
	}
	r.Up()
	queuetest.Eventually(t, 20*time.Second, "the worker is ready", func() bool {
		return status("/readyz") == http.StatusOK
	})
	c := newClient(t, r.Options())
	enqueue(t, c, verify, "v")
	waitForJob(t, c, "v", 30*time.Second)
	p.stop()
	if got := status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz after the drain: %d", got)
	}
}

// A worker warns if Redis may evict keys, because that loses jobs.
func TestWarnsAboutEviction(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	redis := r.Options().Client()
	defer func() { _ = redis.Close() }()
	if err := redis.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err(); err != nil {
		t.Fatal(err)
	}
	log := make(logLines, 100)
	c := newConfig(t, r.Options())
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	startWorker(t, c, testJobs{})
	limit := time.After(20 * time.Second)
	for {
		select {
		case line := <-log:
			if strings.Contains(line, "noeviction") && strings.Contains(line, "allkeys-lru") {
				return
			}
		case <-limit:
			t.Fatal("no warning within 20 seconds")
		}
	}
}

// logLines is a log that a test reads line by line.
type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}
