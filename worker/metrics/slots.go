package metrics

import (
	"cmp"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks/storage"
)

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

// limitCollector reports how many requests to each bucket may be in
// flight. Of many buckets it reports those with the lowest limits.
type limitCollector struct {
	limits func() map[string]int
	desc   *prometheus.Desc
}

func newLimitCollector(limits func() map[string]int) limitCollector {
	return limitCollector{limits, prometheus.NewDesc("stevedore_bucket_requests_limit",
		"Requests to a bucket that this process may have in flight; throttling lowers it.",
		[]string{"bucket"}, nil)}
}

// Describe implements prometheus.Collector.
func (c limitCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect implements prometheus.Collector.
func (c limitCollector) Collect(out chan<- prometheus.Metric) {
	limits := limitsByName(c.limits())
	names := slices.SortedFunc(maps.Keys(limits), func(a, b string) int {
		return cmp.Or(cmp.Compare(limits[a], limits[b]), cmp.Compare(a, b))
	})
	for _, name := range names[:min(len(names), maxOwners)] {
		out <- gauge(c.desc, float64(limits[name]), shorten(name))
	}
}

// limitsByName names the buckets of limits in a readable way. Of several
// buckets with one name it returns the lowest limit.
func limitsByName(limits map[string]int) map[string]int {
	named := make(map[string]int, len(limits))
	for id, n := range limits {
		name := storage.NameOf(id)
		if least, ok := named[name]; !ok || n < least {
			named[name] = n
		}
	}
	return named
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}
