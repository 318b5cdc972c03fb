package metrics

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

// However many buckets and tenants there are, the series are bounded,
// and nothing is lost.
func TestOwnersAreBounded(t *testing.T) {
	t.Parallel()
	m, registry := newTest(t, noQueues)
	const all = 3 * maxOwners
	for i := range all {
		s := tasks.Storage{Provider: "s3", Bucket: fmt.Sprint("b", i)}
		l := journal.Labels{Kind: "k", Bucket: s.Name(), Tenant: fmt.Sprint("t", i)}
		m.JobEnded(l, "failed", time.Second)
		m.ObjectsProcessed(l, tasks.Progress{Objects: 2, Failed: 1})
		m.Storage(l, s).Request("get", time.Second, errors.New("broken"))
	}
	for name, want := range map[string]float64{
		"stevedore_jobs_finished_total":    1,
		"stevedore_storage_requests_total": 1,
	} {
		got := series(t, registry, name)
		if len(got) != maxOwners+1 {
			t.Errorf("%s has %d series, want %d", name, len(got), maxOwners+1)
		}
		sum := 0.0
		for labels, n := range got {
			sum += n
			if strings.Contains(labels, "s3://b7 ") && (n != want || !strings.Contains(labels, " t7 ")) {
				t.Errorf("%s: %s = %v", name, labels, n)
			}
		}
		if sum != want*all {
			t.Errorf("%s counts %v, want %v", name, sum, want*all)
		}
	}
	if n := len(series(t, registry, "stevedore_objects_processed_total")); n > 3*(maxOwners+1) {
		t.Errorf("%d series of objects", n)
	}
}

// A pair keeps its place until it has not been used for a day.
func TestIdleOwnerMakesRoom(t *testing.T) {
	t.Parallel()
	m, registry := newTest(t, noQueues)
	start := time.Now()
	for i := range maxOwners {
		m.owners.get(fmt.Sprint("b", i), "", start)
	}
	m.jobs.WithLabelValues("k", "b0", "", "failed").Inc()
	m.owners.get("b1", "", start.Add(23*time.Hour))
	if o := m.owners.get("new", "t", start.Add(23*time.Hour)); o != (owner{other, other}) {
		t.Errorf("%+v has a place after 23 hours", o)
	}
	if o := m.owners.get("new", "t", start.Add(25*time.Hour)); o != (owner{"new", "t"}) {
		t.Errorf("%+v has the place after 25 hours", o)
	}
	if got := series(t, registry, "stevedore_jobs_finished_total"); len(got) != 0 {
		t.Errorf("the idle bucket still has %v", got)
	}
	if _, ok := m.owners.used[owner{"b1", ""}]; !ok {
		t.Error("the bucket that was used since has lost its place")
	}
	if got := shorten(strings.Repeat("a", maxLabel-1) + "é"); got != strings.Repeat("a", maxLabel-1) {
		t.Errorf("a character was cut: %q", got)
	}
}
