package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	o, err := queue.ParseURL("rediss://me:hush@cache.example:6380/3")
	if err != nil || o.Addr != "cache.example:6380" || o.Username != "me" || o.Password != "hush" || o.DB != 3 || o.TLS == nil {
		t.Errorf("%+v, %v", o, err)
	}
	if s := o.String(); s != "redis at cache.example:6380 db 3" {
		t.Errorf("String = %q", s)
	}
	for _, bad := range []string{"localhost:6379", "http://x", "redis://me:hush@host:port", "redis://:hush@%zz", ""} {
		if _, err := queue.ParseURL(bad); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// asynq acknowledges on a context that it has cancelled itself; the lease's deadline is what counts.
func TestAcknowledgementIgnoresCancel(t *testing.T) {
	t.Parallel()
	c := queuetest.Embedded(t).MakeRedisClient().(redis.UniversalClient)
	defer func() { _ = c.Close() }()
	cancelled := func(d time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		cancel()
		return ctx
	}
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"script before the deadline": {c.Eval(cancelled(time.Minute), "return 1", nil).Err(), nil},
		"script past the deadline":   {c.Eval(cancelled(-time.Minute), "return 1", nil).Err(), context.DeadlineExceeded},
		"anything else":              {c.Get(cancelled(time.Minute), "k").Err(), context.Canceled},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
}

// A timeout of zero, or a fraction of a second, is half an hour to asynq.
func TestTasksCarryWholeTimeouts(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := o.Client()
	defer func() { _ = c.Close() }()
	client, inspector := asynq.NewClientFromRedisClient(c), asynq.NewInspectorFromRedisClient(c)
	check := func(task *asynq.Task, q, id string, limit time.Duration) {
		t.Helper()
		if _, err := client.EnqueueContext(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		info, err := inspector.GetTaskInfo(q, id)
		if err != nil {
			t.Fatal(err)
		}
		if info.Timeout <= limit || info.Timeout > limit+2*time.Minute || info.MaxRetry < 1000 {
			t.Errorf("%s: timeout %v for a limit of %v, %d retries", id, info.Timeout, limit, info.MaxRetry)
		}
	}
	for _, k := range tasks.Kinds() {
		check(queue.JobTask(k, k.Name, []byte("{}")), k.Policy.Queue, k.Name, k.Policy.Timeout)
	}
	check(queue.ShardTask("build-manifest", "j", 7), tasks.QueueShards, "j:s:7", queue.ShardTimeout)
}

func TestCheckID(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"a": true, "0198-x_y.z": true, strings.Repeat("a", 128): true,
		"": false, "a b": false, "a:s:1": false, "{a}": false, "-a": false, strings.Repeat("a", 129): false, "a\n": false, "港": false,
	} {
		if err := queue.CheckID(id); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestShardKind(t *testing.T) {
	t.Parallel()
	if kind, ok := queue.ShardKind(queue.ShardTask("build-manifest", "j", 0).Type()); !ok || kind != "build-manifest" {
		t.Errorf("%q, %v", kind, ok)
	}
	if _, ok := queue.ShardKind("build-manifest"); ok {
		t.Error("a job was taken for a shard")
	}
}
