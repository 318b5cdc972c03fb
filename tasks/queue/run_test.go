package queue_test

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

func start(t *testing.T, r room, ref queue.ShardRef) queue.Assignment {
	t.Helper()
	return must[queue.Assignment](t)(r.Start(t.Context(), ref))
}

// crash replaces the run of a shard as the coordinator does when its worker
// died, and returns the next generation.
func crash(t *testing.T, r room, c queue.Claim, ref queue.ShardRef) queue.ShardRef {
	t.Helper()
	if !must[bool](t)(r.Replace(t.Context(), c, ref.Shard, look(t, r, c).Runs[ref.Shard], true)) {
		t.Fatal("a run that beats no more was not replaced")
	}
	ref.Generation++
	return ref
}

func TestStartTellsWhereTheLastRunStood(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j"}, kind, []byte("payload"), tasks.StatePlanning))
		ok(t, r.Plan(t.Context(), c, shard(0)))
		want := queue.Assignment{Wanted: true, Payload: []byte("payload"), Shard: []byte("shard 0")}
		run := ref("j", 0)
		expect := func(when string) {
			t.Helper()
			same(t, when, start(t, r, run), want)
		}
		expect("first")
		if a := start(t, r, ref("j", 1)); a.Wanted {
			t.Errorf("a shard that was never planned: %+v", a)
		}

		run = crash(t, r, c, run)
		if a := start(t, r, ref("j", 0)); a.Wanted {
			t.Errorf("a task of an earlier generation: %+v", a)
		}
		want.Crashes = 1 // no careful run was at anything, so there is no strike
		expect("after a crash")

		ok(t, r.At(t.Context(), run, "a"))
		ok(t, r.At(t.Context(), run, "b"))
		run = crash(t, r, c, run)
		want.Crashes, want.At, want.Strikes = 2, "b", 1
		expect("after a crash at b")

		ok(t, r.At(t.Context(), run, "b"))
		run = crash(t, r, c, run)
		want.Crashes, want.Strikes = 3, 2
		expect("after another crash at b")

		ok(t, r.At(t.Context(), run, "c"))
		run = crash(t, r, c, run)
		want.Crashes, want.At, want.Strikes = 4, "c", 1
		expect("after a crash at c")

		ok(t, r.At(t.Context(), ref("j", 0), "zombie"))
		expect("after a late word of the first run")

		commit(t, r, run, queue.Piece{To: "c", Objects: 3, Budget: budget})
		want.Resume, want.Crashes, want.At, want.Strikes = "c", 0, "", 0
		expect("after a checkpoint")

		commit(t, r, run, queue.Piece{From: "c", To: "d", Last: true, Budget: budget})
		if a := start(t, r, run); a.Wanted {
			t.Errorf("a shard that is done: %+v", a)
		}
		ok(t, r.Leave(t.Context(), run, time.Minute))
		ok(t, r.At(t.Context(), run, "e"))
		if runs := look(t, r, c).Runs; len(runs) != 0 {
			t.Errorf("of a shard that is done it is still known %+v", runs)
		}
	})
}

func TestBeatShowsWhatIsUnderWay(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 3)
		if runs := look(t, r, c).Runs; len(runs) != 0 {
			t.Errorf("runs before the first: %+v", runs)
		}
		start(t, r, ref("j", 0))
		start(t, r, ref("j", 2))
		commit(t, r, ref("j", 2), whole("", 0))
		live := tasks.Progress{Objects: 5, Bytes: 50, Failed: 1}
		if !must[bool](t)(r.Beat(t.Context(), "j", map[int]tasks.Progress{0: live, 2: live})) {
			t.Error("a shard of a running job is not wanted")
		}
		v := look(t, r, c)
		same(t, "live", v.Runs[0].Live, live)
		if age := v.Now.Sub(v.Runs[0].Beat); len(v.Runs) != 1 || age < 0 || age > 5*time.Second {
			t.Errorf("runs %+v at %v", v.Runs, v.Now)
		}
		commit(t, r, ref("j", 0), queue.Piece{To: "b", Objects: 5, Budget: budget})
		after := look(t, r, c)
		same(t, "what is committed is not under way as well", after.Runs[0].Live, tasks.Progress{})
		if after.Committed.Objects != 15 || after.Runs[0].Beat.IsZero() {
			t.Errorf("%+v", after)
		}
	})
}

func TestLeaveKeepsTheShardForItsTask(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 1)
		start(t, r, ref("j", 0))
		ok(t, r.Leave(t.Context(), ref("j", 0), time.Minute))
		v := look(t, r, c)
		if wait := v.Runs[0].Beat.Sub(v.Now); wait < 50*time.Second || wait > time.Minute {
			t.Errorf("its task may be away for %v", wait)
		}
		next := crash(t, r, c, ref("j", 0))
		ok(t, r.Leave(t.Context(), ref("j", 0), time.Hour))
		if beat := look(t, r, c).Runs[0].Beat; !beat.IsZero() {
			t.Errorf("a run that was replaced speaks for %v: %v", next, beat)
		}
	})
}

func TestReplace(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 3)
		replace := func(shard int, seen queue.Run, crashed bool) bool {
			t.Helper()
			return must[bool](t)(r.Replace(t.Context(), c, shard, seen, crashed))
		}
		seen := func() queue.Run { return look(t, r, c).Runs[0] }

		if !replace(0, seen(), false) || !replace(0, queue.Run{}, false) {
			t.Error("a task that was lost before its run is not replaced, or not twice")
		}
		if a := start(t, r, queue.ShardRef{Job: "j", Generation: 1}); !a.Wanted || a.Crashes != 0 {
			t.Errorf("a lost task is no crash: %+v", a)
		}

		old := seen()
		beat := map[int]tasks.Progress{0: {Objects: 1}}
		must[bool](t)(r.Beat(t.Context(), "j", beat))
		if replace(0, old, true) {
			t.Error("a run that has beaten since was replaced")
		}
		now := seen()
		if now.Generation != 1 || !replace(0, now, true) || !replace(0, now, true) {
			t.Error("a run that has not beaten was not replaced, or not twice")
		}
		if run := seen(); run.Generation != 2 || !run.Beat.IsZero() {
			t.Errorf("replaced: %+v", run)
		}
		if a := start(t, r, queue.ShardRef{Job: "j", Generation: 2}); a.Crashes != 1 {
			t.Errorf("one crash is %d", a.Crashes)
		}

		commit(t, r, ref("j", 1), whole("", 0)) // a shard that nobody had seen begin
		if replace(1, queue.Run{}, true) || len(look(t, r, c).Runs) != 1 {
			t.Error("a shard that is done was replaced")
		}
		var won [4]bool
		ghost := look(t, r, c).Runs[2]
		atOnce(len(won), func(i int) { won[i], _ = r.Replace(t.Context(), c, 2, ghost, true) })
		if a := start(t, r, queue.ShardRef{Job: "j", Shard: 2, Generation: 1}); a.Crashes != 1 {
			t.Errorf("one crash, told four times, is %d", a.Crashes)
		}
	})
}

func TestUndone(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 20)
		for _, i := range []int{0, 7, 8, 19} {
			commit(t, r, ref("j", i), whole("", 0))
		}
		v := look(t, r, c)
		for i := range 25 {
			if want := i == 0 || i == 7 || i == 8 || i == 19; v.Done(i) != want {
				t.Errorf("shard %d done: %v", i, !want)
			}
		}
		same(t, "undone", v.Undone(6, 3), []int{6, 9, 10})
		same(t, "undone", v.Undone(17, 9), []int{17, 18})
	})
}
