package metrics

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// builder makes metrics and registers them.
type builder struct {
	registerer prometheus.Registerer // may be nil
	errs       []error
}

func (b *builder) register(c prometheus.Collector) {
	if b.registerer == nil {
		return
	}
	if err := b.registerer.Register(c); err != nil {
		b.errs = append(b.errs, err)
	}
}

func (b *builder) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(
		prometheus.CounterOpts{Name: "stevedore_" + name, Help: help}, labels)
	b.register(c)
	return c
}

// seconds makes a histogram of durations. Its nine buckets begin at
// from seconds, and each is four times the one before.
func (b *builder) seconds(
	name, help string, from float64, labels ...string,
) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "stevedore_" + name,
		Help:    help,
		Buckets: prometheus.ExponentialBuckets(from, 4, 9),
	}, labels)
	b.register(h)
	return h
}

// gauge registers a gauge that is 1 when read returns true, else 0.
func (b *builder) gauge(name, help string, read func() bool) {
	b.register(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "stevedore_" + name, Help: help},
		func() float64 { return number(read()) }))
}

// Version returns the version of the program, or "unknown".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

func (b *builder) buildInfo() {
	b.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "stevedore_build_info",
		Help:        "Always 1; the label holds the version.",
		ConstLabels: prometheus.Labels{"version": Version()},
	}, func() float64 { return 1 }))
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
