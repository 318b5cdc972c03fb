package worker_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// history records how many objects a job had really processed, and
// when.
type history struct {
	at []time.Time
	n  []int64
}

func (h *history) add(n int64) {
	h.at, h.n = append(h.at, time.Now()), append(h.n, n)
}

// ago returns how many objects were processed at a time in the past.
func (h *history) ago(d time.Duration) (n int64) {
	for i, at := range h.at {
		if time.Since(at) >= d {
			n = h.n[i]
		}
	}
	return n
}

// While shards run, the counts of Status never fall, are never ahead of
// the work, and are at most a second old.
func TestProgressIsTrue(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	var done atomic.Int64
	m := &countingJob{shards: 8, item: func(ctx context.Context, _ string) error {
		defer done.Add(1)
		return elapse(ctx, 300*time.Millisecond) // a shard takes 3 s
	}}
	one, two := newConfig(t, o), newConfig(t, o)
	startWorker(t, one, testJobs{manifest: m})
	startWorker(t, two, testJobs{manifest: m})
	h.submit(manifest, "m")
	var truth history
	var last, half tasks.Status
	var halfAt time.Time
	queuetest.Eventually(t, 40*time.Second, "the job ends", func() bool {
		truth.add(done.Load())
		s := h.status("m")
		p, now := s.Progress, done.Load()
		if s.State.Final() {
			return true
		}
		checkGrows(t, last.Progress, p)
		if old := truth.ago(leeway * time.Second); p.Objects > now || p.Objects < old {
			t.Errorf("%d objects shown, %d done, %d done some seconds ago", p.Objects, now, old)
		}
		if last = s; half.ID == "" && p.Objects >= 40 && p.ETASeconds > 0 {
			half, halfAt = s, time.Now()
			checkSeries(t, "m", 7, one.Registry, two.Registry)
			checkAsynqResult(t, h, p)
		}
		return t.Failed()
	})
	left := time.Since(halfAt).Seconds()
	checkResult(t, h.status("m"), 8)
	if p := half.Progress; p.Rate < 5 || p.Rate > 20 ||
		float64(p.ETASeconds) < left/3 || float64(p.ETASeconds) > left*3+2 {
		t.Errorf("at half time %+v, and it took %.1f s more; at most 13 objects a second are possible", p, left)
	}
	p := h.status("m").Progress
	if p.Rate != 0 || p.ETASeconds != 0 || p.Codes["corrupt-image"] != 8 || len(p.Codes) != 1 {
		t.Errorf("in the end %+v", p)
	}
	queuetest.Eventually(t, 15*time.Second, "the job has no gauges any more", func() bool {
		return metric(t, "job_objects", "job_id", "m", one.Registry, two.Registry) == 0
	})
	checkSeries(t, "m", 0, one.Registry, two.Registry)
	checkEvents(t, h)
}

func checkGrows(t *testing.T, before, now tasks.Progress) {
	t.Helper()
	if now.Objects < before.Objects || now.Bytes < before.Bytes || now.Failed < before.Failed {
		t.Errorf("progress fell from %+v to %+v", before, now)
	}
}

// checkSeries checks how many series the gauges of a job have. All four
// gauges of a job under way have one, and its objects have four.
func checkSeries(t *testing.T, id string, want int, registries ...prometheus.Registerer) {
	t.Helper()
	names := map[string]bool{}
	n := 0
	for _, r := range registries {
		families, err := r.(*prometheus.Registry).Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				for _, label := range m.GetLabel() {
					if label.GetName() == "job_id" && label.GetValue() == id {
						names[f.GetName()] = true
						n++
					}
				}
			}
		}
	}
	if n != want || want > 0 && len(names) != 4 {
		t.Errorf("%d series, want %d: %v", n, want, names)
	}
}

// checkAsynqResult checks that the result that asynqmon shows is about
// what Status shows.
func checkAsynqResult(t *testing.T, h *harness, p tasks.Progress) {
	t.Helper()
	info, err := h.inspector.GetTaskInfo(tasks.QueueJobs, "m")
	h.must(err)
	var shown tasks.Progress
	if err := json.Unmarshal(info.Result, &shown); err != nil ||
		shown.Objects < p.Objects-30 || shown.Objects > p.Objects+15 ||
		shown.ObjectsTotal != 80 || shown.ShardsTotal != 8 {
		t.Errorf("asynq's result is %s, %v; status %+v", info.Result, err, p)
	}
}

// checkEvents checks the events of a job: one when it starts, at most
// one more each second, and one when it ends.
func checkEvents(t *testing.T, h *harness) {
	t.Helper()
	if n := h.checkEndEvent("m", 0, tasks.EventSucceeded); n != 1 {
		t.Errorf("the end was sent %d times", n)
	}
	events := h.events("m")
	if e := events[0]; e.Type != tasks.EventStarted || e.State != tasks.StatePlanning ||
		e.ID != queue.EventID("m", 0, "started") {
		t.Errorf("first %+v", e)
	}
	end := events[len(events)-1]
	if p := end.Progress; end.Type != tasks.EventSucceeded ||
		p.Objects != 80 || p.Failed != 8 || p.Codes["corrupt-image"] != 8 {
		t.Errorf("last %+v", end)
	}
	ids := map[string]bool{}
	before := events[0]
	for i, e := range events[1 : len(events)-1] {
		if e.Type != tasks.EventProgress || ids[e.ID] || e.Kind != manifest.Kind() {
			t.Errorf("event %d: %+v", i+1, e)
		}
		checkGrows(t, before.Progress, e.Progress)
		if apart := e.Time.Sub(before.Time); i > 0 && apart < 990*time.Millisecond {
			t.Errorf("event %d came %v after the one before", i+1, apart)
		}
		ids[e.ID], before = true, e
	}
	if took := end.Time.Sub(events[0].Time); len(ids) < int(took.Seconds()/2) {
		t.Errorf("%d events in %v", len(ids), took)
	}
	if end.Time.Sub(before.Time) > leeway*2*time.Second || before.Progress.Objects < 40 {
		t.Errorf("the last progress is %+v", before)
	}
}

// In the end the counts are exact, also if a shard was run twice, or
// its worker died with work under way.
func TestFinalCountsAreExact(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	finish := newBlocker()
	m := &countingJob{shards: 3, finish: finish.block}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	h.submit(manifest, "m")
	finish.waitBlocked(t, 1)
	h.must(h.redis.HSet(t.Context(), "stevedore:{m}:job",
		"shown_failed", 7, "shown_bytes", 1_000_000, "shown_objects", 30).Err())
	finish.release()
	checkResult(t, h.waitForEnd("m", 20*time.Second), 3)
}
