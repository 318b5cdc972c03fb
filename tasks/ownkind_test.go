package tasks_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// copyJob is a kind of job as another module would define it: with
// several storages at several depths, and a secret outside of them.
type copyJob struct {
	tasks.Terms

	Sources []tasks.Storage `json:"sources"`
	Target  struct {
		Storage *tasks.Storage `json:"storage,omitempty"`
	} `json:"target"`
	Webhook *tasks.Secret `json:"webhook,omitempty"`
}

func (copyJob) Kind() string { return "copy-objects" }

func (j copyJob) Validate() error {
	var errs fields.Errors
	for _, s := range j.Sources {
		s.Check(errs.In("sources"))
	}
	if j.Webhook != nil {
		j.Webhook.Check(&errs, "webhook", true)
	}
	j.CheckTerms(&errs)
	return errs.Err(j.Kind())
}

type copyResult struct {
	Objects int64 `json:"objects"`
}

func (copyResult) Kind() string    { return "copy-objects" }
func (copyResult) Summary() string { return "copied" }

var policy = tasks.Policy{Queue: tasks.QueueJobs, Timeout: time.Hour, Attempts: 3, Keep: time.Hour}

func newCopyJob(secret tasks.Secret) copyJob {
	storage := tasks.Storage{Provider: "gcs", Bucket: "b", Auth: tasks.Auth{Method: "key-file", KeyFile: secret}}
	j := copyJob{Sources: []tasks.Storage{mem("a/"), storage}, Webhook: new(secret)}
	j.Target.Storage = new(storage)
	return j
}

func TestOwnKind(t *testing.T) {
	t.Parallel()
	k := tasks.NewKind[copyJob, copyResult](policy)
	table := append(tasks.Kinds(), k)
	if got, err := table.Lookup("copy-objects"); err != nil || got.Name != "copy-objects" || got.Policy != policy {
		t.Errorf("Lookup: %+v, %v", got, err)
	}
	if _, err := tasks.Lookup("copy-objects"); err == nil {
		t.Error("an own kind is among the built-in ones")
	}
	if got, want := k.StorageFields(), []string{"sources[]", "target.storage"}; !slices.Equal(got, want) {
		t.Errorf("its storages are %q, want %q", got, want)
	}

	j, err := k.Decode([]byte(`{"tenant":"acme","sources":[{"provider":"x-zip","bucket":"photos"}],"webhook":"env:HOOK"}`))
	if err != nil || j.Validate() != nil || j.JobTerms().Tenant != "acme" {
		t.Errorf("%+v, %v, %v", j, err, j.Validate())
	}
	if _, err := k.Decode([]byte(`{"source":{}}`)); err == nil || !strings.Contains(err.Error(), `source: unknown field: did you mean sources?`) {
		t.Errorf("an unknown field: %v", err)
	}
	r, err := k.DecodeResult([]byte(`{"objects":3}`))
	if err != nil || r != (copyResult{3}) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := tasks.DecodeResult[copyResult]([]byte(`{"objects":3}`)); err != nil || r.Objects != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

// What an own kind holds is found by its type: no method can forget a
// part.
func TestPartsOfOwnKind(t *testing.T) {
	t.Parallel()
	j := newCopyJob(tasks.PlainSecret(canary))
	if all := tasks.Storages(j); len(all) != 3 || all[0].Provider != "mem" || all[2].Provider != "gcs" {
		t.Errorf("its storages are %+v", all)
	}
	mapped, err := tasks.MapSecrets(j, func(tasks.Secret) (tasks.Secret, error) { return ref(t, "env:MAPPED"), nil })
	if err != nil {
		t.Fatal(err)
	}
	m := mapped.(copyJob)
	for i, s := range []tasks.Secret{m.Sources[1].Auth.KeyFile, m.Target.Storage.Auth.KeyFile, *m.Webhook} {
		if s.Reference() != "env:MAPPED" {
			t.Errorf("secret %d was not mapped", i)
		}
	}
	for i, s := range []tasks.Secret{j.Sources[1].Auth.KeyFile, j.Target.Storage.Auth.KeyFile, *j.Webhook} {
		if !s.IsPlain() {
			t.Errorf("secret %d of the job itself was changed", i)
		}
	}
	terms := tasks.Terms{Tenant: "acme"}
	if got := tasks.WithTerms(j, terms).JobTerms(); got != terms || j.Tenant != "" {
		t.Errorf("terms are %+v, those of the job itself %+v", got, j.Terms)
	}
}

func TestOwnKindsOfTheSameJob(t *testing.T) {
	t.Parallel()
	k, key := tasks.NewKind[copyJob, copyResult](policy), newKey(t).Public()
	payload := func(terms tasks.Terms) []byte {
		j, err := tasks.MapSecrets(newCopyJob(tasks.PlainSecret(canary)), func(s tasks.Secret) (tasks.Secret, error) {
			return s.Seal(key, binding)
		})
		if err != nil {
			t.Fatal(err)
		}
		return []byte(encode(t, tasks.WithTerms(j, terms)))
	}
	a := payload(tasks.Terms{Tenant: "acme"})
	if !k.Same(a, payload(tasks.Terms{Tenant: "acme", Priority: tasks.PriorityHigh, Deadline: time.Now()})) {
		t.Error("priority and deadline make another job")
	}
	if k.Same(a, payload(tasks.Terms{Tenant: "other"})) {
		t.Error("another tenant's job is the same")
	}
}

type noTerms struct{ Source tasks.Storage }

func (noTerms) Kind() string          { return "no-terms" }
func (noTerms) Validate() error       { return nil }
func (noTerms) JobTerms() tasks.Terms { return tasks.Terms{} }

type inMap struct {
	tasks.Terms
	Sources map[string]tasks.Storage `json:"sources"`
}

func (inMap) Kind() string    { return "In Map" }
func (inMap) Validate() error { return nil }

// A kind that is wrong is refused with everything that is wrong, where
// it is used first.
func TestInvalidKinds(t *testing.T) {
	t.Parallel()
	bad := tasks.Policy{Queue: tasks.QueueShards, Timeout: 1500 * time.Millisecond}
	for name, c := range map[string]struct {
		kind tasks.Kind
		want []string
	}{
		"zero":         {tasks.Kind{Name: "zero", Policy: policy}, []string{"NewKind did not make it"}},
		"policy":       {tasks.NewKind[copyJob, copyResult](bad), []string{"its queue must be one of verify, jobs, exports", "whole seconds", "at least one attempt", "must be kept"}},
		"no terms":     {tasks.NewKind[noTerms, copyResult](policy), []string{"must embed tasks.Terms", `its result says that it is of kind "copy-objects"`}},
		"hidden parts": {tasks.NewKind[inMap, copyResult](policy), []string{"its field sources[]: no map may hold", "its name must be"}},
	} {
		_, err := tasks.Table{c.kind}.Lookup(c.kind.Name)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in %v", name, want, err)
			}
		}
	}
}
