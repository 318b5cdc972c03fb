package metrics

import (
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

// Storage returns a meter for the traffic of one bucket, for
// providers.WithMeter.
func (m *Metrics) Storage(l journal.Labels, s tasks.Storage) providers.Meter {
	return storageMeter{m, l, s.Provider, s.Name()}
}

type storageMeter struct {
	metrics  *Metrics
	labels   journal.Labels // of the job
	provider string
	bucket   string
}

// Request implements providers.Meter.
func (s storageMeter) Request(op string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(providers.KindOf(err))
	}
	o := s.metrics.owners.get(s.bucket, s.labels.Tenant, time.Now())
	s.metrics.requests.WithLabelValues(
		s.labels.Kind, s.provider, o.bucket, o.tenant, op, outcome).Inc()
	s.metrics.requestTime.WithLabelValues(s.provider, op).Observe(took.Seconds())
}

// Bytes implements providers.Meter.
func (s storageMeter) Bytes(direction string, n int64) {
	s.metrics.storageBytes.WithLabelValues(s.labels.Kind, s.provider, direction).Add(float64(n))
}
