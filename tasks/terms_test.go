package tasks_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestTermsAreFieldsOfEveryPayload(t *testing.T) {
	t.Parallel()
	want := tasks.Terms{Tenant: "acme", Priority: tasks.PriorityHigh, Deadline: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, k := range tasks.Kinds() {
		j, err := k.Decode([]byte(`{"tenant":"acme","priority":"high","deadline":"2030-01-02T03:04:05Z"}`))
		if err != nil || j.JobTerms() != want {
			t.Errorf("%s: %+v, %v", k.Name, j, err)
			continue
		}
		if got := tasks.WithTerms(j, tasks.Terms{Tenant: "other"}); got.JobTerms() != (tasks.Terms{Tenant: "other"}) || got.Kind() != k.Name || j.JobTerms() != want {
			t.Errorf("%s: %+v after WithTerms, was %+v", k.Name, got, j)
		}
		var invalid *tasks.InvalidError
		if !errors.As(tasks.WithTerms(j, tasks.Terms{Tenant: "a b", Priority: "urgent"}).Validate(), &invalid) {
			t.Errorf("%s: bad terms are valid", k.Name)
			continue
		}
		wrong := map[string]bool{}
		for _, f := range invalid.Fields {
			wrong[f.Field] = true
		}
		if !wrong["tenant"] || !wrong["priority"] {
			t.Errorf("%s: %v", k.Name, invalid)
		}
	}
}

func TestPriorityQueues(t *testing.T) {
	t.Parallel()
	for p, want := range map[tasks.Priority]string{"": "shards", tasks.PriorityNormal: "shards", tasks.PriorityHigh: "shards-high", tasks.PriorityLow: "shards-low"} {
		if got := p.Queue(tasks.QueueShards); got != want {
			t.Errorf("%q: %q", p, got)
		}
		if got := p.Queue(tasks.QueueVerify); got != tasks.QueueVerify {
			t.Errorf("verify at %q: %q", p, got)
		}
	}
	if n := len(tasks.Queues()); n != 10 {
		t.Errorf("%d queues", n)
	}
}

func TestStorages(t *testing.T) {
	t.Parallel()
	a, b := tasks.Storage{Provider: "s3", Bucket: "a"}, tasks.Storage{Provider: "s3", Bucket: "b"}
	got := tasks.Storages(tasks.GenerateThumbnails{Source: a, Destination: &b})
	if len(got) != 2 || !got[0].Same(a) || !got[1].Same(b) || got[0].ID() == got[1].ID() {
		t.Errorf("%+v", got)
	}
}
