package metrics

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

// newTest makes metrics with a registry that checks its collectors.
func newTest(t *testing.T, queues func() ([]asynqtask.Queue, error)) (*Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := New(registry, Sources{
		Queues:   queues,
		Pools:    []Pool{{Name: "shards", Slots: 4, Busy: func() int { return 3 }, Leftover: func() int { return 1 }, Capped: func() int { return 2 }}},
		Limits:   func() map[string]int { return map[string]int{"s3:b": 7} },
		RedisUp:  func() bool { return true },
		Draining: func() bool { return false },
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

func noQueues() ([]asynqtask.Queue, error) { return nil, nil }

// series returns the values of a metric by the values of its labels.
func series(t *testing.T, r *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := ""
			for _, l := range m.GetLabel() {
				labels += l.GetValue() + " "
			}
			values[labels] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

// Many jobs do not make many series, and a job that has ended has none.
func TestJobGauges_AreLimited(t *testing.T) {
	t.Parallel()
	m, registry := newTest(t, noQueues)
	var gauges []*JobGauge
	for i := range 300 {
		g := m.TrackJob("k", fmt.Sprint("j", i))
		g.Show(tasks.Progress{Objects: 5, ObjectsTotal: 10, Failed: 1})
		gauges = append(gauges, g)
	}
	want := map[string]int{
		"stevedore_job_progress_ratio":                  maxJobSeries,
		"stevedore_job_objects":                         4 * maxJobSeries,
		"stevedore_job_objects_per_second":              maxJobSeries,
		"stevedore_job_last_progress_timestamp_seconds": maxJobSeries,
	}
	for name, n := range want {
		if got := len(series(t, registry, name)); got != n {
			t.Errorf("%s has %d series, want %d", name, got, n)
		}
	}
	for _, g := range gauges {
		g.Close()
	}
	for name := range want {
		if got := len(series(t, registry, name)); got != 0 {
			t.Errorf("%s has %d series after all jobs have ended", name, got)
		}
	}
}

// The gauge of an earlier attempt does not remove the one of a later
// attempt at the same job.
func TestJobGauge_RemovesOnlyItself(t *testing.T) {
	t.Parallel()
	m, registry := newTest(t, noQueues)
	first := m.TrackJob("k", "j")
	second := m.TrackJob("k", "j")
	first.Close()
	if n := len(series(t, registry, "stevedore_job_objects_per_second")); n != 1 {
		t.Errorf("the second attempt has %d gauges, want 1", n)
	}
	second.Close()
	if n := len(series(t, registry, "stevedore_job_objects_per_second")); n != 0 {
		t.Errorf("%d gauges are left", n)
	}
}

// Without a total there is no ratio.
func TestJobGauge_UnknownTotal(t *testing.T) {
	t.Parallel()
	m, registry := newTest(t, noQueues)
	m.TrackJob("k", "j").Show(tasks.Progress{Objects: 5})
	if n := len(series(t, registry, "stevedore_job_progress_ratio")); n != 0 {
		t.Errorf("%d ratios", n)
	}
	if got := series(t, registry, "stevedore_job_objects")["j k done "]; got != 5 {
		t.Errorf("%v objects are done, want 5", got)
	}
}

// Objects with warnings are in the job's output: they do not count as
// failed.
func TestObjectsProcessed(t *testing.T) {
	t.Parallel()
	m, registry := newTest(t, noQueues)
	m.ObjectsProcessed(journal.Labels{Kind: "k", Bucket: "b", Tenant: "t"}, tasks.Progress{Objects: 10, Failed: 4, Warnings: 3})
	m.TrackJob("k", "j").Show(tasks.Progress{Objects: 10, Failed: 4, Warnings: 3})
	processed := series(t, registry, "stevedore_objects_processed_total")
	job := series(t, registry, "stevedore_job_objects")
	for name, want := range map[string]float64{"ok": 6, "warning": 3, "failed": 1} {
		if got := processed["b k "+name+" t "]; got != want {
			t.Errorf("%s: %v objects processed, want %v", name, got, want)
		}
	}
	if job["j k warning "] != 3 || job["j k failed "] != 1 {
		t.Errorf("%v", job)
	}
}
