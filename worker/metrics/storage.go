package metrics

import (
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Storage returns a meter for the traffic of one bucket, for
// providers.WithMeter.
func (m *Metrics) Storage(kind, provider string) providers.Meter {
	return storageMeter{m, kind, provider}
}

type storageMeter struct {
	metrics        *Metrics
	kind, provider string
}

// Request implements providers.Meter.
func (s storageMeter) Request(op string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(providers.KindOf(err))
	}
	s.metrics.requests.WithLabelValues(s.kind, s.provider, op, outcome).Inc()
	s.metrics.requestTime.WithLabelValues(s.provider, op).Observe(took.Seconds())
}

// Bytes implements providers.Meter.
func (s storageMeter) Bytes(direction string, n int64) {
	s.metrics.storageBytes.WithLabelValues(s.kind, s.provider, direction).Add(float64(n))
}
