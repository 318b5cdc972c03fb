package worker

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// gaugedMost bounds how many jobs have series of their own, so that a flood
// of jobs is no flood of series.
const gaugedMost = 200

// jobCollector reports the jobs that this process runs or coordinates, while
// it does. Each job is with one process.
type jobCollector struct{ meters *sync.Map }

func jobDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("stevedore_job_"+name, help, append([]string{"kind", "job_id"}, labels...), nil)
}

func jobDescs() (ratio, objects, rate, moved *prometheus.Desc) {
	return jobDesc("progress_ratio", "Objects dealt with, of all; missing while their number is not known."),
		jobDesc("objects", "Objects of a job under way.", "state"),
		jobDesc("objects_per_second", "Rate of a job under way, over its last seconds."),
		jobDesc("last_progress_timestamp_seconds", "When a job under way last dealt with an object.")
}

// Describe implements prometheus.Collector.
func (c jobCollector) Describe(out chan<- *prometheus.Desc) {
	ratio, objects, rate, moved := jobDescs()
	out <- ratio
	out <- objects
	out <- rate
	out <- moved
}

// Collect implements prometheus.Collector.
func (c jobCollector) Collect(out chan<- prometheus.Metric) {
	n := 0
	c.meters.Range(func(_, v any) bool {
		v.(*meter).collect(out)
		n++
		return n < gaugedMost
	})
}

func (m *meter) collect(out chan<- prometheus.Metric) {
	ratio, objects, rate, moved := jobDescs()
	p := m.progress()
	m.mu.Lock()
	at := m.moved
	m.mu.Unlock()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{m.c.Name, m.c.ID}, labels...)...)
	}
	if p.ObjectsTotal > 0 {
		gauge(ratio, float64(p.Objects)/float64(p.ObjectsTotal))
		gauge(objects, float64(p.ObjectsTotal), "total")
	}
	gauge(objects, float64(p.Objects), "done")
	gauge(objects, float64(p.Failed), "failed")
	gauge(rate, p.Rate)
	gauge(moved, float64(at.UnixMilli())/1000)
}
