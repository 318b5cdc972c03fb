package worker_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// A shard whose worker is silent is done by another one, long before
// asynq would give it away. The first worker's late commit, and the
// second run of its task, change nothing.
func TestSilentShardIsReplaced(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	started := make(chan queue.ShardLease, 100)
	silent := startSilentWorker(t, o, tasks.QueueShards, func(ctx context.Context, task *asynq.Task) {
		lease, err := h.store.StartShard(ctx, shardOf(t, task))
		if err != nil {
			t.Error(err)
		}
		started <- lease
	})
	taken, last := make(chan struct{}), newBlocker()
	var lastShard atomic.Pointer[string] // the shard that keeps the job from ending
	m := &countingJob{shards: 4, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
		select {
		case <-taken:
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.Through == *lastShard.Load() {
			return last.block(ctx)
		}
		return nil
	}}
	conf := newConfig(t, o)
	startWorker(t, conf, testJobs{manifest: m})
	h.submit(manifest, "m")
	ref := shardOf(t, receive(t, silent.taken, "the silent worker takes a shard"))
	lease := receive(t, started, "the silent worker starts the shard")
	other := strconv.Itoa((ref.Shard + 1) % 4)
	lastShard.Store(&other)
	close(taken)

	from := time.Now()
	queuetest.Eventually(t, 40*time.Second, "all but one shard are done", func() bool {
		return h.status("m").Progress.Shards == 3
	})
	if took := time.Since(from); took > 38*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := metric(t, "shards_replaced_total", "reason", "crashed", conf.Registry); n != 1 {
		t.Errorf("%v shards were replaced", n)
	}
	checkLateWorker(t, h, silent, lease)
	last.release()
	checkResult(t, h.waitForEnd("m", 20*time.Second), 4)
	for i := range 4 {
		if n := m.times(i); n != 1 {
			t.Errorf("shard %d was done %d times", i, n)
		}
	}
}

// checkLateWorker checks that a worker which was silent changes nothing
// when it commits its shard after all, nor when its task runs again.
func checkLateWorker(t *testing.T, h *harness, silent *silentWorker, lease queue.ShardLease) {
	t.Helper()
	before := h.status("m").Progress
	counted, err := lease.Commit(t.Context(), queue.Checkpoint{
		To:      fmt.Sprintf("%d/9", lease.Ref.Shard),
		Last:    true,
		Data:    []byte("late\n"),
		Objects: 10,
		Bytes:   900,
		Tally:   map[string]int64{"7": 1},
	})
	if err != nil || counted {
		t.Errorf("the late commit: %v, %v", counted, err)
	}
	silent.wakeUp()
	h.waitForTask(tasks.QueueShards, lease.Ref.TaskID(), 10*time.Second, 0)
	if p := h.status("m").Progress; p.Objects != before.Objects || p.Shards != 3 {
		t.Errorf("progress %+v became %+v", before, p)
	}
}

// The same shard runs on two workers at the same time, to the end. It
// counts once.
func TestShardOnTwoWorkersCountsOnce(t *testing.T) {
	t.Parallel()
	onEmbeddedAndReal(t, func(t *testing.T, o redisconn.Options) {
		h := newHarness(t, o)
		both := newBlocker()
		m := &countingJob{shards: 3, item: func(ctx context.Context, key string) error {
			if key != "0/9" {
				return nil
			}
			return both.block(ctx)
		}}
		one, two := newConfig(t, o), newConfig(t, o)
		one.ShardSlots, two.ShardSlots = 1, 1
		startWorker(t, one, testJobs{manifest: m})
		h.submit(manifest, "m")
		both.waitBlocked(t, 1)
		startWorker(t, two, testJobs{manifest: m})
		h.must(h.tasks.EnqueueShard(t.Context(), asynqtask.Shard{
			Kind:  manifest.Kind(),
			Ref:   asynqtask.ShardRef{Job: "m", Shard: 0, Generation: 1},
			Queue: tasks.QueueShards,
		}))
		both.waitBlocked(t, 1)
		queuetest.Eventually(t, 15*time.Second, "work under way is shown once", func() bool {
			// Shard 0 shows 9 objects, not 18. The second worker has taken
			// the repeated task before, between or after the other shards.
			n := h.status("m").Progress.Objects
			return n == 9 || n == 19 || n == 29
		})
		both.release()
		checkResult(t, h.waitForEnd("m", 20*time.Second), 3)
		kind := manifest.Kind()
		queuetest.Eventually(t, 15*time.Second, "the second commit is counted as a duplicate", func() bool {
			return metric(t, "duplicate_commits_total", "kind", kind, one.Registry, two.Registry) == 1
		})
		if n := metric(t, "objects_processed_total", "kind", kind, one.Registry, two.Registry); n != 30 {
			t.Errorf("%v objects were counted", n)
		}
		if n := m.times(0); n != 2 {
			t.Errorf("the shard was done %d times", n)
		}
	})
}

// Shards lose their tasks in every way that asynq knows. All are done
// within half a minute, and no worker counts as crashed.
func TestLostShardTasks(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	high := tasks.PriorityHigh.Queue(tasks.QueueShards)
	h.must(h.inspector.PauseQueue(high))
	m := &countingJob{shards: 4}
	conf := newConfig(t, o)
	conf.ShardSlots = 4 // so that all shards are enqueued at once
	startWorker(t, conf, testJobs{manifest: m})
	h.submit(tasks.WithTerms(manifest, tasks.Terms{Priority: tasks.PriorityHigh}), "m")
	for i := range 4 {
		h.waitForTask(high, fmt.Sprintf("m:s:%d", i), 10*time.Second, asynq.TaskStatePending)
	}
	h.must(h.inspector.DeleteTask(high, "m:s:0"))
	h.must(h.inspector.ArchiveTask(high, "m:s:1"))
	h.abandonTask(high, "m:s:2")
	h.must(h.inspector.UnpauseQueue(high))
	checkResult(t, h.waitForEnd("m", 40*time.Second), 4)
	if n := metric(t, "shards_replaced_total", "reason", "lost", conf.Registry); n != 1 {
		t.Errorf("%v shards were lost", n)
	}
	if n := metric(t, "shards_replaced_total", "reason", "crashed", conf.Registry); n != 0 {
		t.Errorf("%v shards crashed", n)
	}
}

// After a hand-over a shard may wait in a long queue. That is no crash:
// else it would be done one object at a time in the end, and an object
// would be left out.
func TestOnlyCrashedShardsAreReplaced(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	h.must(h.inspector.PauseQueue(tasks.QueueShards))
	conf := newConfig(t, o)
	startWorker(t, conf, testJobs{manifest: &countingJob{shards: 2}})
	h.submit(manifest, "m")
	for i := range 2 {
		id := fmt.Sprintf("m:s:%d", i)
		h.waitForTask(tasks.QueueShards, id, 10*time.Second, asynq.TaskStatePending)
	}
	old := fmt.Sprintf("%d 0 0 0", time.Now().Add(-time.Minute).UnixMilli())
	h.must(h.redis.HSet(t.Context(), "stevedore:{m}:runs", "0:b", old, "1:b", old).Err())
	h.abandonTask(tasks.QueueShards, "m:s:1")
	queuetest.Eventually(t, 30*time.Second, "the crashed shard is replaced", func() bool {
		return metric(t, "shards_replaced_total", "reason", "crashed", conf.Registry) > 0
	})
	if g, c := h.runField("m", "0:g"), h.runField("m", "0:c"); g != "" || c != "" {
		t.Errorf("the waiting shard has generation %q, crashes %q", g, c)
	}
	if g, c := h.runField("m", "1:g"), h.runField("m", "1:c"); g != "1" || c != "1" {
		t.Errorf("the crashed shard has generation %q, crashes %q", g, c)
	}
	h.must(h.inspector.UnpauseQueue(tasks.QueueShards))
	checkResult(t, h.waitForEnd("m", 20*time.Second), 2)
}
