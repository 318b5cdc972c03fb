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

// A shard whose worker is silent is done by another long before asynq would
// give it away. The first worker's late commit and its task's second run
// change nothing.
func TestSilentShardIsReplaced(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	started := make(chan queue.ShardLease, 100)
	h := hang(t, o, tasks.QueueShards, func(ctx context.Context, task *asynq.Task) {
		lease, err := l.store.StartShard(ctx, shardOf(t, task))
		if err != nil {
			t.Error(err)
		}
		started <- lease
	})
	caught, last := make(chan struct{}), newGate()
	var stays atomic.Pointer[string] // the shard that keeps the job from ending
	m := &counting{shards: 4, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
		select {
		case <-caught:
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.Through == *stays.Load() {
			return last.pass(ctx)
		}
		return nil
	}}
	conf := config(t, o)
	start(t, conf, jobs{manifest: m})
	l.put(manifest, "m")
	ref := shardOf(t, <-h.taken)
	silent := <-started
	other := strconv.Itoa((ref.Shard + 1) % 4)
	stays.Store(&other)
	close(caught)
	from := time.Now()
	queuetest.Eventually(t, 40*time.Second, "all but one are done", func() bool { return l.status("m").Progress.Shards == 3 })
	if took := time.Since(from); took > 38*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := count(t, "shards_replaced_total", "reason", "crashed", conf.Registry); n != 1 {
		t.Errorf("%v shards were replaced", n)
	}
	before := l.status("m").Progress
	counted, err := silent.Commit(t.Context(), queue.Checkpoint{
		To:      fmt.Sprintf("%d/9", ref.Shard),
		Last:    true,
		Data:    []byte("late\n"),
		Objects: 10,
		Bytes:   900,
		Tally:   map[string]int64{"7": 1},
		Budget:  1 << 30,
	})
	if err != nil || counted {
		t.Errorf("the late commit: %v, %v", counted, err)
	}
	h.wake()
	l.taskIs(tasks.QueueShards, ref.TaskID(), 10*time.Second, 0)
	if p := l.status("m").Progress; p.Objects != before.Objects || p.Shards != 3 {
		t.Errorf("progress %+v became %+v", before, p)
	}
	close(last.open)
	result(t, l.ended("m", 20*time.Second), 4)
	for i := range 4 {
		if n := m.times(i); n != 1 {
			t.Errorf("shard %d was done %d times", i, n)
		}
	}
}

// The same shard runs on two workers at the same moment, to the end. It is
// counted once.
func TestShardOnTwoWorkersCountsOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		l := newHarness(t, o)
		both := newGate()
		m := &counting{shards: 3, item: func(ctx context.Context, key string) error {
			if key != "0/9" {
				return nil
			}
			return both.pass(ctx)
		}}
		one, two := config(t, o), config(t, o)
		one.ShardSlots, two.ShardSlots = 1, 1
		start(t, one, jobs{manifest: m})
		l.put(manifest, "m")
		both.waitHeld(t, 1)
		start(t, two, jobs{manifest: m})
		l.must(l.tasks.EnqueueShard(t.Context(), asynqtask.Shard{
			Kind:  manifest.Kind(),
			Ref:   asynqtask.ShardRef{Job: "m", Shard: 0, Generation: 1},
			Queue: tasks.QueueShards,
		}))
		both.waitHeld(t, 1)
		queuetest.Eventually(t, 15*time.Second, "what is under way is seen once", func() bool {
			p := l.status("m").Progress
			return p.Objects == 9 || p.Objects == 29
		})
		close(both.open)
		result(t, l.ended("m", 20*time.Second), 3)
		queuetest.Eventually(t, 15*time.Second, "the second commit is counted as one", func() bool {
			return count(t, "duplicate_commits_total", "kind", manifest.Kind(), one.Registry, two.Registry) == 1
		})
		if n := count(t, "objects_processed_total", "kind", manifest.Kind(), one.Registry, two.Registry); n != 30 {
			t.Errorf("%v objects were counted", n)
		}
		if n := m.times(0); n != 2 {
			t.Errorf("the shard was done %d times", n)
		}
	})
}

// Shards lose their tasks in every way that asynq knows. All are done within
// half a minute, and none is taken for one that killed its worker.
func TestLostShardTasks(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	high := tasks.PriorityHigh.Queue(tasks.QueueShards)
	l.must(l.inspector.PauseQueue(high))
	m := &counting{shards: 4}
	conf := config(t, o)
	start(t, conf, jobs{manifest: m})
	l.put(tasks.WithTerms(manifest, tasks.Terms{Priority: tasks.PriorityHigh}), "m")
	for i := range 4 {
		l.taskIs(high, fmt.Sprintf("m:s:%d", i), 10*time.Second, asynq.TaskStatePending)
	}
	l.must(l.inspector.DeleteTask(high, "m:s:0"))
	l.must(l.inspector.ArchiveTask(high, "m:s:1"))
	l.orphan(high, "m:s:2")
	l.must(l.inspector.UnpauseQueue(high))
	result(t, l.ended("m", 40*time.Second), 4)
	if n := count(t, "shards_replaced_total", "reason", "lost", conf.Registry); n != 1 {
		t.Errorf("%v shards were lost", n)
	}
	if n := count(t, "shards_replaced_total", "reason", "crashed", conf.Registry); n != 0 {
		t.Errorf("%v shards crashed", n)
	}
}

// After a hand-over a shard may wait in a long queue. That is no death: it
// would be done one object at a time in the end, and an object would be
// blamed.
func TestOnlyDeadShardsAreReplaced(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	l.must(l.inspector.PauseQueue(tasks.QueueShards))
	conf := config(t, o)
	start(t, conf, jobs{manifest: &counting{shards: 2}})
	l.put(manifest, "m")
	for i := range 2 {
		l.taskIs(tasks.QueueShards, fmt.Sprintf("m:s:%d", i), 10*time.Second, asynq.TaskStatePending)
	}
	old := fmt.Sprintf("%d 0 0 0", time.Now().Add(-time.Minute).UnixMilli())
	l.must(l.redis.HSet(t.Context(), "stevedore:{m}:runs", "0:b", old, "1:b", old).Err())
	l.orphan(tasks.QueueShards, "m:s:1")
	queuetest.Eventually(t, 30*time.Second, "the dead one is replaced", func() bool {
		return count(t, "shards_replaced_total", "reason", "crashed", conf.Registry) > 0
	})
	if g, c := l.run("m", "0:g"), l.run("m", "0:c"); g != "" || c != "" {
		t.Errorf("the one that waits has generation %q, crashes %q", g, c)
	}
	if g, c := l.run("m", "1:g"), l.run("m", "1:c"); g != "1" || c != "1" {
		t.Errorf("the dead one has generation %q, crashes %q", g, c)
	}
	l.must(l.inspector.UnpauseQueue(tasks.QueueShards))
	result(t, l.ended("m", 20*time.Second), 2)
}
