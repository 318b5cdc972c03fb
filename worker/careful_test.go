package worker_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// After the second crash at a shard, each object is recorded as the
// suspect before it is touched, and all objects before it are
// committed.
func TestCarefulAfterTwoCrashes(t *testing.T) {
	t.Parallel()
	onEmbeddedAndReal(t, func(t *testing.T, o redisconn.Options) {
		h := newHarness(t, o)
		lease := h.claimPlanned(manifest, "m", 3)
		h.recordCrash(lease, 0)
		for range 2 {
			h.recordCrash(lease, 1)
		}
		var mu sync.Mutex
		suspect, committed := map[string]string{}, map[string]string{}
		m := &countingJob{shards: 3, item: func(_ context.Context, key string) error {
			mu.Lock()
			defer mu.Unlock()
			suspect[key] = h.runField("m", key[:1]+":a")
			committed[key] = h.runField("m", key[:1]+":r")
			return nil
		}}
		startWorker(t, newConfig(t, o), testJobs{manifest: m})
		h.enqueueTask(manifest, asynqtask.JobRef{Job: "m"})
		checkResult(t, h.waitForEnd("m", 20*time.Second), 3)
		mu.Lock()
		defer mu.Unlock()
		for key, want := range map[string]struct{ suspect, committed string }{
			"0/5": {"", ""}, "1/0": {"1/0", ""}, "1/5": {"1/5", "1/4"}, "2/5": {"", ""},
		} {
			if suspect[key] != want.suspect || committed[key] != want.committed {
				t.Errorf("before %s the suspect is %q and %q is committed, want %+v",
					key, suspect[key], committed[key], want)
			}
		}
	})
}

// An object at which two workers died alone goes on the error list. The
// job continues without it.
func TestKillerObjectIsLeftOut(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	lease := h.claimPlanned(manifest, "m", 3)
	ref := asynqtask.ShardRef{Job: "m", Shard: 1}
	done := queue.Checkpoint{To: "1/3", Objects: 4, Bytes: 400}
	h.commit(h.startShard(ref), done)
	for ref.Generation = range 2 {
		h.must(h.startShard(ref).MarkSuspect(t.Context(), "1/4"))
		h.recordCrash(lease, 1)
	}
	var mu sync.Mutex
	var touched []string
	m := &countingJob{shards: 3, item: func(_ context.Context, key string) error {
		mu.Lock()
		defer mu.Unlock()
		touched = append(touched, key)
		return nil
	}}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	h.enqueueTask(manifest, asynqtask.JobRef{Job: "m"})
	s := h.waitForEnd("m", 20*time.Second)
	if s.State != tasks.StateSucceeded || s.Progress.Objects != 30 ||
		s.Progress.Failed != 4 || s.Progress.Codes["kills-worker"] != 1 {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
	mu.Lock()
	defer mu.Unlock()
	if slices.Contains(touched, "1/3") || slices.Contains(touched, "1/4") ||
		!slices.Contains(touched, "1/5") {
		t.Errorf("touched %v", touched)
	}
	var killers []tasks.ObjectError
	for e, err := range h.store.Errors(t.Context(), "m") {
		h.must(err)
		if e.Code == "kills-worker" {
			killers = append(killers, e)
		}
	}
	if len(killers) != 1 || killers[0].Key != "1/4" || killers[0].Message == "" {
		t.Errorf("%+v", killers)
	}
}

// In one process at most one object of all careful runs is under way.
// If there were two when the process dies, both would be suspects.
func TestCarefulRunsTakeTurns(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	for field, value := range map[string]string{"0:c": "2", "1:c": "1", "1:a": "1/0", "1:k": "1"} {
		h.must(h.redis.HSet(t.Context(), "stevedore:{m}:runs", field, value).Err())
	}
	var atOnce, most atomic.Int64
	m := &countingJob{shards: 2, item: func(ctx context.Context, _ string) error {
		most.Store(max(most.Load(), atOnce.Add(1)))
		defer atOnce.Add(-1)
		return elapse(ctx, 20*time.Millisecond)
	}}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	h.submit(manifest, "m")
	checkResult(t, h.waitForEnd("m", 20*time.Second), 2)
	if most.Load() != 1 {
		t.Errorf("%d objects were under way at once", most.Load())
	}
}
