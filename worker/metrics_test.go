package worker_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// metric adds up the series of a metric that have a label with a value,
// in several registries.
func metric(
	t testing.TB, name, label, value string, registries ...prometheus.Registerer,
) (total float64) {
	t.Helper()
	for _, r := range registries {
		total += sum(t, r, "stevedore_"+name, func(labels map[string]string) bool {
			return labels[label] == value
		})
	}
	return total
}

// sum adds up the series of a metric whose labels match.
func sum(
	t testing.TB, r prometheus.Registerer, name string, match func(labels map[string]string) bool,
) (total float64) {
	t.Helper()
	families, err := r.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if match(labels) {
				total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return total
}

// The metrics of a worker count what it did, and show its state.
func TestMetrics(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	conf := newConfig(t, o)
	startWorker(t, conf, testJobs{manifest: &countingJob{shards: 3}})
	c := newClient(t, o)
	enqueue(t, c, manifest, "m")
	waitForJob(t, c, "m", 10*time.Second)
	for name, want := range map[string]float64{
		"stevedore_jobs_finished_total":     1,
		"stevedore_objects_processed_total": 30,
		"stevedore_attempts_total":          4,
		"stevedore_slots":                   6,
		"stevedore_build_info":              1,
		"stevedore_draining":                0,
		"stevedore_redis_up":                1,
	} {
		queuetest.Eventually(t, 15*time.Second, name, func() bool {
			return sum(t, conf.Registry, name, func(map[string]string) bool { return true }) == want
		})
	}
}
