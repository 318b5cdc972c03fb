package worker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// A producer in another language may enqueue a payload of any size. The
// worker neither reads nor copies a large one, and the job says why.
func TestTooLargePayloadFailsTheJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	conf := newConfig(t, o)
	conf.PayloadLimit = 50_000
	startWorker(t, conf, testJobs{})
	large := manifest
	large.Include = []string{strings.Repeat("p", 60_000)}
	h.enqueueTask(large, asynqtask.JobRef{Job: "m"})
	s := h.waitForEnd("m", 30*time.Second)
	if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Code != "PayloadTooLarge" ||
		!strings.Contains(s.Failure.Message, "at most 50000 are allowed") {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
	if n := len(h.redis.HGet(t.Context(), schema.RecordKey("m"), schema.Payload).Val()); n != 0 {
		t.Errorf("the record has %d bytes of it", n)
	}
}
