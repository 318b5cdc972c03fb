package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks/storage"
)

// limitCollector reports how many requests to each bucket may be in
// flight. All buckets that have no series of their own are one series,
// with the lowest of their limits.
type limitCollector struct {
	limits func() map[string]int
	owners *owners
	desc   *prometheus.Desc
}

func newLimitCollector(limits func() map[string]int, o *owners) limitCollector {
	return limitCollector{limits, o, prometheus.NewDesc("stevedore_bucket_requests_limit",
		"Requests to a bucket that this process may have in flight; throttling lowers it.",
		[]string{"bucket"}, nil)}
}

// Describe implements prometheus.Collector.
func (c limitCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect implements prometheus.Collector.
func (c limitCollector) Collect(out chan<- prometheus.Metric) {
	lowest := map[string]int{}
	for id, limit := range c.limits() {
		name := c.owners.bucket(storage.NameOf(id))
		if n, ok := lowest[name]; !ok || limit < n {
			lowest[name] = limit
		}
	}
	for name, limit := range lowest {
		out <- gauge(c.desc, float64(limit), name)
	}
}
