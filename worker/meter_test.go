package worker

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

func meterOf(id string) *meter {
	return (&Worker{}).meter(claimed{entry: entry{Kind: tasks.Kind{Name: "k"}}, Claim: queue.Claim{ID: id}})
}

func near(got, want float64) bool { return math.Abs(got-want) <= want/10 }

// The rate is that of the last ten seconds, and what is left takes as long as
// it says.
func TestMeterRateAndETA(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := meterOf("j")
		var objects int64
		show := func(seconds, rate int64) (v queue.Shown) {
			for range seconds * 10 {
				<-time.After(100 * time.Millisecond)
				objects += rate / 10
				v = m.shown(tasks.Progress{Objects: objects, ObjectsTotal: 100_000}, -1, true)
			}
			return v
		}
		if v := m.shown(tasks.Progress{ObjectsTotal: 100_000}, -1, true); v.Rate != 0 || v.ETASeconds != 0 {
			t.Errorf("at once: %+v", v)
		}
		if v := show(20, 1000); !near(v.Rate, 1000) || !near(float64(v.ETASeconds), 80) {
			t.Errorf("at 1000 a second: %+v", v)
		}
		if v := show(5, 100); v.Rate < 300 || v.Rate > 800 {
			t.Errorf("while it slows down: %+v", v)
		}
		if v := show(15, 100); !near(v.Rate, 100) {
			t.Errorf("at 100 a second: %+v", v)
		}
		if v := show(15, 0); v.Rate != 0 || v.ETASeconds != 0 {
			t.Errorf("when nothing moves: %+v", v)
		}
	})
}

// What was under way with a worker that died is not taken back, and a
// coordinator that takes over shows no leap in the rate.
func TestMeterNeverFalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := meterOf("j")
		m.shown(tasks.Progress{Objects: 5000, Bytes: 70, Failed: 3}, -1, false)
		<-time.After(time.Second)
		v := m.shown(tasks.Progress{Objects: 4900, Bytes: 60, Failed: 2}, -1, false)
		if v.Objects != 5000 || v.Bytes != 70 || v.Failed != 3 || v.Rate != 0 || v.Total != -1 {
			t.Errorf("%+v", v)
		}
		// Two runs of one shard may show more than there is.
		if v := m.shown(tasks.Progress{Objects: 6100, ObjectsTotal: 6000}, -1, true); v.Objects != 6000 || v.ETASeconds != 0 {
			t.Errorf("%+v", v)
		}
	})
}

// A flood of jobs is no flood of series, and a job that has ended has none.
func TestJobGaugesAreCapped(t *testing.T) {
	t.Parallel()
	var meters sync.Map
	for i := range 300 {
		m := meterOf(fmt.Sprint("j", i))
		m.shown(tasks.Progress{Objects: 5, ObjectsTotal: 10, Failed: 1}, -1, true)
		meters.Store(m.c.ID, m)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(jobCollector{&meters})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"stevedore_job_progress_ratio": 200, "stevedore_job_objects": 600, "stevedore_job_objects_per_second": 200,
		"stevedore_job_last_progress_timestamp_seconds": 200,
	}
	for _, f := range families {
		if n := len(f.GetMetric()); n != want[f.GetName()] {
			t.Errorf("%s has %d series", f.GetName(), n)
		}
		delete(want, f.GetName())
	}
	if len(want) != 0 {
		t.Errorf("missing: %v", want)
	}
}

// A meter of an earlier attempt does not take the series of a later one
// along.
func TestMeterEndsItself(t *testing.T) {
	t.Parallel()
	w := &Worker{}
	first := w.meter(claimed{Claim: queue.Claim{ID: "j"}})
	second := w.meter(claimed{Claim: queue.Claim{ID: "j"}})
	first.end()
	if m, _ := w.meters.Load("j"); m != second {
		t.Error("the second attempt has no meter")
	}
	second.end()
	if _, there := w.meters.Load("j"); there {
		t.Error("the meter outlived its job")
	}
}

// A shard that achieves nothing is given to a second worker, to a third much
// later, and never to a crowd within the half hour that a run may take.
func TestStuckShardsDoNotMultiply(t *testing.T) {
	t.Parallel()
	var at time.Duration
	runs := 1
	for at += stuck(0); at < queue.ShardTimeout; at += stuck(runs) {
		runs++
		if runs == 2 && at != stuckAfter {
			t.Errorf("the second run begins after %v", at)
		}
	}
	if runs < 3 || runs > 5 {
		t.Errorf("%d runs at once", runs)
	}
	if stuck(1_000) <= 0 {
		t.Error("the time overflows")
	}
}
