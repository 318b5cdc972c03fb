package worker_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// enqueueRaw enqueues a task as a program in another language does,
// with any type and payload.
func enqueueRaw(t *testing.T, o redisconn.Options, kind, id, payload string) *asynq.Inspector {
	t.Helper()
	redis := o.Client()
	t.Cleanup(func() { _ = redis.Close() })
	_, err := asynq.NewClientFromRedisClient(redis).EnqueueContext(t.Context(),
		asynq.NewTask(kind, []byte(payload)),
		asynq.TaskID(id), asynq.Queue(tasks.QueueVerify), asynq.Retention(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return asynq.NewInspectorFromRedisClient(redis)
}

// waitArchived waits until a task is archived for a reason.
func waitArchived(t *testing.T, i *asynq.Inspector, id, reason string) {
	t.Helper()
	queuetest.Eventually(t, 10*time.Second, id+" is archived", func() bool {
		info, err := i.GetTaskInfo(tasks.QueueVerify, id)
		return err == nil && info.State == asynq.TaskStateArchived &&
			strings.Contains(info.LastErr, reason)
	})
}

// A payload that cannot be decoded fails the job, and both the status
// and asynq's task say why.
func TestInvalidPayload(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	startWorker(t, newConfig(t, o), testJobs{})
	const payload = `{"storage":{"provider":"mem","buckett":"b"}}`
	i := enqueueRaw(t, o, "verify-connection", "typo", payload)
	waitArchived(t, i, "typo", `storage.buckett: unknown field: did you mean bucket?`)
	s := waitForJob(t, newClient(t, o), "typo", 10*time.Second)
	if s.Failure == nil || s.Failure.Kind != "invalid" || !strings.Contains(s.Failure.Message, "buckett") {
		t.Errorf("failure %+v", s.Failure)
	}
}

// asynq's own mux would run verify-connection-v2 with the handler of
// verify-connection. Here the whole name counts.
func TestWholeKindNameCounts(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	startWorker(t, newConfig(t, o), testJobs{})
	const payload = `{"storage":{"provider":"mem","bucket":"b"}}`
	i := enqueueRaw(t, o, "verify-connection-v2", "v2", payload)
	waitArchived(t, i, "v2", `no task of type "verify-connection-v2"`)
}

// A producer in another language makes no record. Its job runs and has
// a status all the same.
func TestJobWithoutRecord(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := newClient(t, o)
	enqueueRaw(t, o, "verify-connection", "foreign", `{"storage":{"provider":"mem","bucket":"b"}}`)
	if s, err := c.Status(t.Context(), "foreign"); err != nil || s.State != tasks.StateQueued {
		t.Errorf("before: %+v, %v", s, err)
	}
	var runs atomic.Int32
	startWorker(t, newConfig(t, o), testJobs{verify: failing(&runs)})
	s := waitForJob(t, c, "foreign", 10*time.Second)
	if s.State != tasks.StateSucceeded || s.Kind != "verify-connection" {
		t.Errorf("after: %+v", s)
	}
}
