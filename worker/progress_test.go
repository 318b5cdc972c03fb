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

// history is how many objects a job had really dealt with, and when.
type history struct {
	at []time.Time
	n  []int64
}

func (h *history) add(n int64) { h.at, h.n = append(h.at, time.Now()), append(h.n, n) }

// ago is how many it were so long ago.
func (h *history) ago(d time.Duration) (n int64) {
	for i, at := range h.at {
		if time.Since(at) >= d {
			n = h.n[i]
		}
	}
	return n
}

// What Status tells while shards run never falls, is never ahead of the work,
// and at most a second old.
func TestProgressIsTrue(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	var done atomic.Int64
	m := &counting{shards: 8, item: func(ctx context.Context, _ string) error {
		defer done.Add(1)
		select {
		case <-time.After(300 * time.Millisecond): // what an object takes; a shard is handed in every 3 s
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	one, two := config(t, o), config(t, o)
	start(t, one, jobs{manifest: m})
	start(t, two, jobs{manifest: m})
	l.put(manifest, "m")
	var truth history
	var last, half tasks.Status
	var halfAt time.Time
	queuetest.Eventually(t, 40*time.Second, "the job ends", func() bool {
		truth.add(done.Load())
		s := l.status("m")
		p, now := s.Progress, done.Load()
		if s.State.Final() {
			return true
		}
		if p.Objects < last.Progress.Objects || p.Bytes < last.Progress.Bytes || p.Failed < last.Progress.Failed {
			t.Errorf("progress fell from %+v to %+v", last.Progress, p)
		}
		if old := truth.ago(leeway * time.Second); p.Objects > now || p.Objects < old {
			t.Errorf("%d objects shown, %d done, %d some seconds ago", p.Objects, now, old)
		}
		if last = s; half.ID == "" && p.Objects >= 40 && p.ETASeconds > 0 {
			half, halfAt = s, time.Now()
			series(t, "m", 5, one.Registry, two.Registry)
			asynqKnows(t, l, p)
		}
		return t.Failed()
	})
	left := time.Since(halfAt).Seconds()
	result(t, l.status("m"), 8)
	if p := half.Progress; p.Rate < 5 || p.Rate > 20 || float64(p.ETASeconds) < left/3 || float64(p.ETASeconds) > left*3+2 {
		t.Errorf("at half time %+v, and it took %.1f s more; the most is 13 a second", p, left)
	}
	p := l.status("m").Progress
	if p.Rate != 0 || p.ETASeconds != 0 || p.Codes["corrupt-image"] != 8 || len(p.Codes) != 1 {
		t.Errorf("in the end %+v", p)
	}
	queuetest.Eventually(t, 15*time.Second, "there are no gauges any more", func() bool {
		return count(t, "job_objects", "job_id", "m", one.Registry, two.Registry) == 0
	})
	series(t, "m", 0, one.Registry, two.Registry)
	toldInTime(t, l)
}

// series checks how many gauges a job has.
func series(t *testing.T, id string, want int, registries ...prometheus.Registerer) {
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
	if want == 0 && n != 0 || want > 0 && (len(names) != 4 || n != 6) {
		t.Errorf("%d series: %v", n, names)
	}
}

// asynqKnows checks that the result asynqmon shows is about what Status
// tells.
func asynqKnows(t *testing.T, l *harness, p tasks.Progress) {
	t.Helper()
	info, err := l.inspector.GetTaskInfo(tasks.QueueJobs, "m")
	if err != nil {
		t.Fatal(err)
	}
	var shown tasks.Progress
	if err := json.Unmarshal(info.Result, &shown); err != nil || shown.Objects < p.Objects-30 || shown.Objects > p.Objects+15 || shown.ObjectsTotal != 80 || shown.ShardsTotal != 8 {
		t.Errorf("asynq's result is %s, %v; status %+v", info.Result, err, p)
	}
}

// toldInTime checks the events of a job: begun, at most one more each second,
// ended.
func toldInTime(t *testing.T, l *harness) {
	t.Helper()
	if n := l.final("m", 0, tasks.EventSucceeded); n != 1 {
		t.Errorf("%d last events", n)
	}
	events := l.events("m")
	if e := events[0]; e.Type != tasks.EventStarted || e.ID != queue.EventID("m", 0, "started") || e.State != tasks.StatePlanning {
		t.Errorf("first %+v", e)
	}
	end := events[len(events)-1]
	if end.Type != tasks.EventSucceeded || end.Progress.Objects != 80 || end.Progress.Failed != 8 || end.Progress.Codes["corrupt-image"] != 8 {
		t.Errorf("last %+v", end)
	}
	ids := map[string]bool{}
	before := events[0]
	for i, e := range events[1 : len(events)-1] {
		if e.Type != tasks.EventProgress || ids[e.ID] || e.Progress.Objects < before.Progress.Objects || e.Kind != manifest.Kind() {
			t.Errorf("event %d: %+v", i+1, e)
		}
		if apart := e.Time.Sub(before.Time); i > 0 && apart < 990*time.Millisecond {
			t.Errorf("event %d came %v after the one before", i+1, apart)
		}
		ids[e.ID], before = true, e
	}
	if took := end.Time.Sub(events[0].Time); len(ids) < int(took.Seconds()/2) {
		t.Errorf("%d events in %v", len(ids), took)
	}
	if e := before; end.Time.Sub(e.Time) > leeway*2*time.Second || e.Progress.Objects < 40 {
		t.Errorf("the newest is %+v", e)
	}
}

// A shard that was run twice, or whose worker died with work under way, is
// shown once in the end.
func TestFinalCountsAreExact(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	held := newGate()
	m := &counting{shards: 3, finish: held.pass}
	start(t, config(t, o), jobs{manifest: m})
	l.put(manifest, "m")
	held.waitHeld(t, 1)
	l.must(l.redis.HSet(t.Context(), "stevedore:{m}:job", "shown_failed", 7, "shown_bytes", 1_000_000, "shown_objects", 30).Err())
	close(held.open)
	result(t, l.ended("m", 20*time.Second), 3)
}
