package providers_test

import (
	"context"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// diagnoser is a bucket with two optional interfaces, and nothing
// else.
type diagnoser struct{ providers.Bucket }

func (diagnoser) Diagnose(context.Context) []tasks.Check {
	return []tasks.Check{{ID: "connect", Status: tasks.CheckOK}}
}

func (diagnoser) Preflight(_ context.Context, want tasks.CORS) []tasks.Check {
	return []tasks.Check{{ID: "cors", Status: tasks.CheckOK, Evidence: want.Origin}}
}

func TestAs_LooksThroughWrappers(t *testing.T) {
	t.Parallel()
	inner := diagnoser{memtest.Bucket(t)}
	b := providers.WithMeter(providers.WithPrefix(inner, tasks.Storage{Bucket: "b", Prefix: "p/"}), &meter{})
	if found, ok := providers.As[providers.Diagnoser](b); !ok || found != providers.Diagnoser(inner) {
		t.Errorf("found %v", found)
	}
	if _, ok := providers.As[providers.Prober](b); ok {
		t.Error("the bucket is no Prober")
	}
	if _, ok := providers.As[providers.Prober](nil); ok {
		t.Error("no bucket is no Prober")
	}
	want := tasks.CORS{Origin: "https://app.example"}
	if checks := providers.Diagnose(t.Context(), b); len(checks) != 1 || checks[0].ID != "connect" {
		t.Errorf("diagnosed: %+v", checks)
	}
	if checks := providers.Preflight(t.Context(), b, want); len(checks) != 1 || checks[0].Evidence != want.Origin {
		t.Errorf("preflight: %+v", checks)
	}
}

// What a bucket does not implement is an unknown check with a text.
func TestOptional_UnknownIsSaid(t *testing.T) {
	t.Parallel()
	var bare struct{ providers.Bucket }
	for want, checks := range map[string][]tasks.Check{
		"probe":   providers.Probe(t.Context(), bare, tasks.Need{}),
		"resolve": providers.Diagnose(t.Context(), bare),
		"cors":    providers.Preflight(t.Context(), bare, tasks.CORS{}),
	} {
		if len(checks) != 1 || checks[0].ID != want || checks[0].Status != tasks.CheckUnknown || checks[0].Evidence == "" {
			t.Errorf("%s: %+v", want, checks)
		}
	}
}
