package worker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Redis restarts while shards are done, under way and waiting. Work
// that is done is neither lost nor done again. Work under way is
// committed when Redis is back.
func TestRedisRestartsDuringJob(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	o := r.Options()
	work := newBlocker()
	m := &countingJob{shards: 12, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
		if s.Through < "4" && len(s.Through) == 1 {
			return nil
		}
		return work.block(ctx)
	}}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	c := newClient(t, o)
	enqueue(t, c, manifest, "m")
	work.waitBlocked(t, 2)
	queuetest.Eventually(t, 10*time.Second, "four shards are committed", func() bool {
		s, err := c.Status(t.Context(), "m")
		return err == nil && s.Progress.Shards == 4
	})
	r.Down()
	work.release() // two shards are done while Redis is down
	queuetest.Eventually(t, 10*time.Second, "both are done", func() bool {
		return m.times(4)+m.times(5) == 2
	})
	r.Up()
	checkResult(t, waitForJob(t, c, "m", 60*time.Second), 12)
	for i := range 12 {
		if n := m.times(i); n != 1 {
			t.Errorf("shard %d was done %d times", i, n)
		}
	}
}

// Redis loses the last second of what it has acknowledged, as it may
// when it syncs its file once a second. Shards that the coordinator has
// seen done are not done any more, and some of them are not even
// enqueued.
func TestRedisLosesItsLastSecond(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	o := r.Options()
	early, late := newBlocker(), newBlocker()
	m := &countingJob{shards: 80, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
		switch n, err := strconv.Atoi(s.Through); {
		case err == nil && n >= 75:
			return late.block(ctx)
		case err == nil && n >= 5:
			return early.block(ctx)
		}
		return nil
	}}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	c := newClient(t, o)
	enqueue(t, c, manifest, "m")
	early.waitBlocked(t, 2)
	log := appendLog(t, o)
	before, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	early.release()
	late.waitBlocked(t, 2)
	queuetest.Eventually(t, 10*time.Second, "all but the last shards are committed", func() bool {
		s, err := c.Status(t.Context(), "m")
		return err == nil && s.Progress.Shards == 75
	})
	waitForHeartbeats(t, o, 2)
	r.Down()
	if err := os.Truncate(log, before.Size()); err != nil {
		t.Fatal(err)
	}
	r.Up()
	if s, err := c.Status(t.Context(), "m"); err != nil || s.Progress.Shards > 10 {
		t.Fatalf("Redis has lost nothing: %+v, %v", s, err)
	}
	late.release()
	checkResult(t, waitForJob(t, c, "m", 60*time.Second), 80)
}

// waitForHeartbeats waits until the coordinator of job m has sent n
// more heartbeats.
func waitForHeartbeats(t *testing.T, o redisconn.Options, n int) {
	t.Helper()
	client := o.Client()
	defer func() { _ = client.Close() }()
	last := ""
	queuetest.Eventually(t, 10*time.Second, "the coordinator sends heartbeats", func() bool {
		if beat := client.HGet(t.Context(), "stevedore:{m}:job", "beat").Val(); beat != last {
			last = beat
			n--
		}
		return n < 0
	})
}

// appendLog returns the file that Redis appends to.
func appendLog(t *testing.T, o redisconn.Options) string {
	t.Helper()
	client := o.Client()
	defer func() { _ = client.Close() }()
	config, err := client.ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(config["dir"], "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	return files[0]
}

// asynq since 0.25 does not successfully repeat an acknowledgement that
// failed: the task would run again minutes later. Here a handler ends
// while Redis is down, and its task is acknowledged all the same.
func TestAcknowledgementOutlivesRestart(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	o := r.Options()
	var runs atomic.Int32
	finished := make(chan struct{})
	gaveUp := make(chan struct{}, 10)
	server := asynq.NewServer(o, asynq.Config{
		Concurrency:       1,
		TaskCheckInterval: 50 * time.Millisecond,
		Logger:            syncLog{gaveUp},
	})
	err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		if runs.Add(1) == 1 {
			r.Down()
			close(finished)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	task := asynq.NewTask("x", nil)
	_, err = asynq.NewClientFromRedisClient(redis).Enqueue(task, asynq.TaskID("x"))
	if err != nil {
		t.Fatal(err)
	}
	receive(t, finished, "the handler ends")
	select {
	case <-gaveUp: // the first try of the acknowledgement
	case <-time.After(3 * time.Second): // the first try takes longer, which is as good
	}
	r.Up()
	inspector := asynq.NewInspectorFromRedisClient(redis)
	queuetest.Eventually(t, 25*time.Second, "the task is acknowledged", func() bool {
		_, err := inspector.GetTaskInfo("default", "x")
		return errors.Is(err, asynq.ErrTaskNotFound)
	})
	if runs.Load() != 1 {
		t.Errorf("the task ran %d times", runs.Load())
	}
}

// syncLog is a log of asynq's that reports when the first try of an
// acknowledgement has failed.
type syncLog struct{ gaveUp chan<- struct{} }

func (l syncLog) Warn(args ...any) {
	if strings.Contains(fmt.Sprint(args...), "Will retry syncing") {
		l.gaveUp <- struct{}{}
	}
}

func (syncLog) Debug(...any) {}
func (syncLog) Info(...any)  {}
func (syncLog) Error(...any) {}
func (syncLog) Fatal(...any) {}
