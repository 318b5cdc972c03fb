package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// maxJobSeries is how many jobs have series of their own at most, so
// that many small jobs do not make many series. The first keep theirs
// until they end.
const maxJobSeries = 200

func jobDesc(name, help string, labels ...string) *prometheus.Desc {
	all := append([]string{"kind", "job_id"}, labels...)
	return prometheus.NewDesc("stevedore_job_"+name, help, all, nil)
}

// jobGauges collects the gauges of the jobs that this process runs or
// coordinates. One process at a time has a job.
type jobGauges struct {
	ratio, objects, rate, moved *prometheus.Desc

	mu    sync.Mutex
	jobs  map[string]*JobGauge
	shown int // jobs that have series
}

func newJobGauges() *jobGauges {
	return &jobGauges{
		ratio: jobDesc("progress_ratio",
			"Objects processed, of all; missing while their number is unknown."),
		objects: jobDesc("objects", "Objects of a job under way.", "state"),
		rate: jobDesc("objects_per_second",
			"Rate of a job under way, over its last seconds."),
		moved: jobDesc("last_progress_timestamp_seconds",
			"When the count of processed objects last grew."),
		jobs: map[string]*JobGauge{},
	}
}

// JobGauge shows the progress of one job under way.
type JobGauge struct {
	of       *jobGauges
	kind, id string

	// These are guarded by jobGauges.mu.
	shown    bool
	progress tasks.Progress
	moved    time.Time // when progress.Objects last grew
}

// TrackJob shows a job in the metrics until Close is called. A second
// call for the same job replaces the first gauge.
func (m *Metrics) TrackJob(kind, id string) *JobGauge {
	g := &JobGauge{of: m.jobGauges, kind: kind, id: id, moved: time.Now()}
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	g.of.remove(g.of.jobs[id])
	if g.of.shown < maxJobSeries {
		g.shown = true
		g.of.shown++
	}
	g.of.jobs[id] = g
	return g
}

// Show sets what the next scrape reads.
func (g *JobGauge) Show(p tasks.Progress) {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	if p.Objects > g.progress.Objects {
		g.moved = time.Now()
	}
	g.progress = p
}

// Progress returns what was shown last.
func (g *JobGauge) Progress() tasks.Progress {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	return g.progress
}

// Close removes the gauge. It leaves a gauge alone that replaced this
// one.
func (g *JobGauge) Close() {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	if g.of.jobs[g.id] == g {
		g.of.remove(g)
	}
}

// remove removes a gauge, which may be nil. The caller holds mu.
func (c *jobGauges) remove(g *JobGauge) {
	if g == nil {
		return
	}
	delete(c.jobs, g.id)
	if g.shown {
		c.shown--
	}
}

// Describe implements prometheus.Collector.
func (c *jobGauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.ratio, c.objects, c.rate, c.moved} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *jobGauges) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.jobs {
		if g.shown {
			c.collect(g, out)
		}
	}
}

func (c *jobGauges) collect(g *JobGauge, out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- gauge(d, value, append([]string{g.kind, g.id}, labels...)...)
	}
	p := g.progress
	if p.ObjectsTotal > 0 {
		send(c.ratio, float64(p.Objects)/float64(p.ObjectsTotal))
		send(c.objects, float64(p.ObjectsTotal), "total")
	}
	send(c.objects, float64(p.Objects), "done")
	send(c.objects, float64(p.Warnings), "warning")
	send(c.objects, float64(p.LeftOut()), "failed")
	send(c.rate, p.Rate)
	send(c.moved, float64(g.moved.UnixMilli())/1000)
}
