package queue_test

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// crash replaces the run of a shard as the coordinator does when
// its worker died. It returns the next generation.
func crash(t *testing.T, l queue.Lease, ref asynqtask.ShardRef) asynqtask.ShardRef {
	t.Helper()
	if !must[bool](t)(l.ReplaceShard(t.Context(), ref.Shard, heartbeat(t, l).Shards[ref.Shard], true)) {
		t.Fatal("a silent run was not replaced")
	}
	ref.Generation++
	return ref
}

func markSuspect(t *testing.T, r testStore, ref asynqtask.ShardRef, key string) {
	t.Helper()
	ok(t, queue.RunOf(r.Store, ref, "run").MarkSuspect(t.Context(), key))
}

func suspend(t *testing.T, r testStore, ref asynqtask.ShardRef, pause time.Duration) {
	t.Helper()
	ok(t, queue.RunOf(r.Store, ref, "run").Suspend(t.Context(), pause))
}

func TestStartGoesOnWhereTheLastRunStood(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 1)
		run := ref("j", 0)
		want := queue.ShardLease{Wanted: true, Payload: []byte("{}"), Shard: []byte("shard 0"), Input: []byte{}}
		expect := func(when string) {
			t.Helper()
			want.Ref = run
			same(t, when, start(t, r, run), want)
		}
		expect("first")
		if s := start(t, r, ref("j", 1)); s.Wanted {
			t.Errorf("a shard that was never planned: %+v", s)
		}

		run = crash(t, l, run)
		if s := start(t, r, ref("j", 0)); s.Wanted {
			t.Errorf("a task of an earlier generation: %+v", s)
		}
		want.Crashes = 1 // without a suspect there is no strike
		expect("after a crash")

		markSuspect(t, r, run, "a")
		markSuspect(t, r, run, "b")
		run = crash(t, l, run)
		want.Crashes, want.Suspect, want.Strikes = 2, "b", 1
		expect("after a crash at b")

		markSuspect(t, r, run, "b")
		run = crash(t, l, run)
		want.Crashes, want.Strikes = 3, 2
		expect("after another crash at b")

		markSuspect(t, r, run, "c")
		run = crash(t, l, run)
		want.Crashes, want.Suspect, want.Strikes = 4, "c", 1
		expect("after a crash at c")

		markSuspect(t, r, ref("j", 0), "too late")
		expect("after a late call of the first run")

		commit(t, r, run, queue.Checkpoint{To: "c", Objects: 3})
		want.Resume, want.Crashes, want.Suspect, want.Strikes = "c", 0, "", 0
		expect("after a checkpoint")

		commit(t, r, run, queue.Checkpoint{From: "c", To: "d", Last: true})
		if s := start(t, r, run); s.Wanted {
			t.Errorf("a shard that is done: %+v", s)
		}
		suspend(t, r, run, time.Minute)
		markSuspect(t, r, run, "e")
		if shards := heartbeat(t, l).Shards; len(shards) != 0 {
			t.Errorf("a shard that is done still has %+v", shards)
		}
	})
}

func TestHeartbeatsOfShardsShowUncommittedWork(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 3)
		if shards := heartbeat(t, l).Shards; len(shards) != 0 {
			t.Errorf("shards before the first start: %+v", shards)
		}
		start(t, r, ref("j", 0))
		start(t, r, ref("j", 2))
		commit(t, r, ref("j", 2), whole("", 0))
		live := tasks.Progress{Objects: 5, Bytes: 50, Failed: 1}
		runs := map[int]tasks.Progress{0: live, 2: live}
		if !must[bool](t)(r.HeartbeatShards(t.Context(), "j", 0, runs)) {
			t.Error("a shard of a running job is not wanted")
		}

		s := heartbeat(t, l)
		same(t, "uncommitted", s.Shards[0].Live, live)
		if age := s.Now.Sub(s.Shards[0].LastHeartbeat); len(s.Shards) != 1 || age < 0 || age > 5*time.Second {
			t.Errorf("shards %+v at %v", s.Shards, s.Now)
		}

		commit(t, r, ref("j", 0), queue.Checkpoint{To: "b", Objects: 5})
		after := heartbeat(t, l)
		same(t, "uncommitted after the commit", after.Shards[0].Live, tasks.Progress{})
		if after.Committed.Objects != 15 || after.Shards[0].LastHeartbeat.IsZero() {
			t.Errorf("%+v", after)
		}
	})
}

func TestSuspendedShardWaitsForItsTask(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 1)
		start(t, r, ref("j", 0))
		suspend(t, r, ref("j", 0), time.Minute)
		s := heartbeat(t, l)
		if wait := s.Shards[0].LastHeartbeat.Sub(s.Now); wait < 50*time.Second || wait > time.Minute {
			t.Errorf("its task may be away for %v", wait)
		}

		next := crash(t, l, ref("j", 0))
		suspend(t, r, ref("j", 0), time.Hour)
		if at := heartbeat(t, l).Shards[0].LastHeartbeat; !at.IsZero() {
			t.Errorf("a run that was replaced suspended %v: %v", next, at)
		}
	})
}

func TestReplaceShard(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 3)
		replace := func(shard int, seen queue.ShardState, crashed bool) bool {
			t.Helper()
			return must[bool](t)(l.ReplaceShard(t.Context(), shard, seen, crashed))
		}
		seen := func() queue.ShardState { t.Helper(); return heartbeat(t, l).Shards[0] }

		if !replace(0, seen(), false) || !replace(0, queue.ShardState{}, false) {
			t.Error("a task that was lost before its run is not replaced, or not twice")
		}
		if s := start(t, r, asynqtask.ShardRef{Job: "j", Generation: 1}); !s.Wanted || s.Crashes != 0 {
			t.Errorf("a lost task is not a crash: %+v", s)
		}

		old := seen()
		must[bool](t)(r.HeartbeatShards(t.Context(), "j", 0, map[int]tasks.Progress{0: {Objects: 1}}))
		if replace(0, old, true) {
			t.Error("a run was replaced although it has sent a heartbeat")
		}
		now := seen()
		if now.Generation != 1 || !replace(0, now, true) || !replace(0, now, true) {
			t.Error("a silent run was not replaced, or not twice")
		}
		if s := seen(); s.Generation != 2 || !s.LastHeartbeat.IsZero() {
			t.Errorf("replaced: %+v", s)
		}
		if s := start(t, r, asynqtask.ShardRef{Job: "j", Generation: 2}); s.Crashes != 1 {
			t.Errorf("one crash is counted as %d", s.Crashes)
		}

		commit(t, r, ref("j", 1), whole("", 0)) // without a heartbeat before
		if replace(1, queue.ShardState{}, true) || len(heartbeat(t, l).Shards) != 1 {
			t.Error("a shard that is done was replaced")
		}
		var won [4]bool
		never := heartbeat(t, l).Shards[2]
		atOnce(len(won), func(i int) { won[i], _ = l.ReplaceShard(t.Context(), 2, never, true) })
		if s := start(t, r, asynqtask.ShardRef{Job: "j", Shard: 2, Generation: 1}); s.Crashes != 1 {
			t.Errorf("one crash, reported four times, is counted as %d", s.Crashes)
		}
	})
}

func TestUndone(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 20)
		for _, i := range []int{0, 7, 8, 19} {
			commit(t, r, ref("j", i), whole("", 0))
		}
		s := heartbeat(t, l)
		for i := range 25 {
			if want := i == 0 || i == 7 || i == 8 || i == 19; s.Done(i) != want {
				t.Errorf("shard %d done: %v", i, !want)
			}
		}
		same(t, "undone", s.Undone(6, 3), []int{6, 9, 10})
		same(t, "undone", s.Undone(17, 9), []int{17, 18})
	})
}

// Only the first shard of a job reads the payload from Redis, and
// another job of the same ID has its own.
func TestShardsDoNotCarryThePayload(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		planned(t, r, "j", 3)
		set := func(values ...string) { ok(t, r.client.HSet(t.Context(), schema.RecordKey("j"), values).Err()) }
		check := func(shard int, want string) {
			t.Helper()
			if got := string(start(t, r, ref("j", shard)).Payload); got != want {
				t.Errorf("shard %d has the payload %s, want %s", shard, got, want)
			}
		}
		check(0, "{}")
		set(schema.Payload, "changed") // which no caller can do
		check(1, "{}")
		set(schema.Created, "5")
		check(2, "changed")
		check(1, "changed")
	})
}
