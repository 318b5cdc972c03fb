package metrics

import "github.com/prometheus/client_golang/prometheus"

// Pool is a number of slots, as a collector reads it.
type Pool struct {
	Name  string
	Slots int
	Busy  func() int // slots in which a handler really runs
	// Leftover returns how many of the busy slots belong to an attempt
	// that has ended, but whose code still runs.
	Leftover func() int
}

// slotCollector reports the slots of each pool.
type slotCollector struct {
	pools     []Pool
	all, busy *prometheus.Desc
	leftover  *prometheus.Desc
}

func newSlotCollector(pools []Pool) slotCollector {
	label := []string{"pool"}
	return slotCollector{
		pools: pools,
		all: prometheus.NewDesc("stevedore_slots",
			"Slots of this process.", label, nil),
		busy: prometheus.NewDesc("stevedore_slots_busy",
			"Slots of this process in which a task runs.", label, nil),
		leftover: prometheus.NewDesc("stevedore_slots_leftover",
			"Busy slots whose task has ended, but whose code does not stop.", label, nil),
	}
}

// Describe implements prometheus.Collector.
func (c slotCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.all
	out <- c.busy
	out <- c.leftover
}

// Collect implements prometheus.Collector.
func (c slotCollector) Collect(out chan<- prometheus.Metric) {
	for _, p := range c.pools {
		out <- gauge(c.all, float64(p.Slots), p.Name)
		out <- gauge(c.busy, float64(p.Busy()), p.Name)
		out <- gauge(c.leftover, float64(p.Leftover()), p.Name)
	}
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}
