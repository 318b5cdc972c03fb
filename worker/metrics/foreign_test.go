package metrics

import (
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

// foreign are the labels whose values payloads choose, and how many
// values each may have. The values of all other labels come from the
// code and from the operator.
var foreign = map[string]int{"bucket": maxOwners + 1, "tenant": maxOwners + 1, "job_id": maxJobSeries}

var ours = []string{
	"kind", "phase", "outcome", "reason", "provider", "op", "direction", "queue", "state", "pool", "version",
}

// catalogue keeps what is registered.
type catalogue struct {
	*prometheus.Registry
	collectors []prometheus.Collector
}

func (c *catalogue) Register(one prometheus.Collector) error {
	c.collectors = append(c.collectors, one)
	return c.Registry.Register(one)
}

// labels returns the labels of each metric.
func (c *catalogue) labels() map[string][]string {
	all := map[string][]string{}
	for _, one := range c.collectors {
		descs := make(chan *prometheus.Desc, 100)
		one.Describe(descs)
		close(descs)
		for d := range descs {
			name := regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1]
			list := regexp.MustCompile(`variableLabels: \{([^}]*)\}`).FindStringSubmatch(d.String())[1]
			all[name] = strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
		}
	}
	return all
}

// Payloads choose buckets, tenants and IDs of jobs. However many there
// are, and however they come and go, each metric has few series. A new
// metric with such a label must be counted here, too.
func TestForeignLabelsAreBounded(t *testing.T) {
	t.Parallel()
	limits := map[string]int{}
	c := &catalogue{Registry: prometheus.NewPedanticRegistry()}
	m, err := New(c, Sources{
		Queues:   noQueues,
		Limits:   func() map[string]int { return limits },
		RedisUp:  func() bool { return true },
		Draining: func() bool { return false },
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}

	seen := map[string]map[string]map[string]bool{} // metric, label, value
	for i := range 400 {
		s := tasks.Storage{Provider: "s3", Bucket: fmt.Sprint("b", i)}
		l := journal.Labels{Kind: "k", Bucket: s.Name(), Tenant: fmt.Sprint("t", i)}
		m.JobEnded(l, "failed", time.Second)
		m.ObjectsProcessed(l, tasks.Progress{Objects: 2, Failed: 1})
		m.Storage(l, s).Request("get", time.Second, nil)
		m.TrackJob("k", fmt.Sprint("j", i)).Show(tasks.Progress{Objects: 1, ObjectsTotal: 2})
		clear(limits)
		limits[s.Name()] = 7
		note(t, c.Registry, seen)
	}

	for metric, labels := range c.labels() {
		for _, label := range labels {
			most, isForeign := foreign[label]
			n := len(seen[metric][label])
			switch {
			case !isForeign && !slices.Contains(ours, label):
				t.Errorf("%s: say in this test who chooses the values of the label %s", metric, label)
			case isForeign && n == 0:
				t.Errorf("%s: count it in this test for many values of %s", metric, label)
			case isForeign && n > most:
				t.Errorf("%s: the label %s has had %d values, the limit is %d", metric, label, n, most)
			}
		}
	}
	if len(seen) == 0 || len(c.labels()) < 10 {
		t.Errorf("metrics %q, labels of %d", slices.Collect(maps.Keys(seen)), len(c.labels()))
	}
}

// note notes the values of all labels.
func note(t *testing.T, r *prometheus.Registry, seen map[string]map[string]map[string]bool) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if seen[f.GetName()] == nil {
			seen[f.GetName()] = map[string]map[string]bool{}
		}
		values := seen[f.GetName()]
		for _, series := range f.GetMetric() {
			for _, l := range series.GetLabel() {
				if values[l.GetName()] == nil {
					values[l.GetName()] = map[string]bool{}
				}
				values[l.GetName()][l.GetValue()] = true
			}
		}
	}
}
