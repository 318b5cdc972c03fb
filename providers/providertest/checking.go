package providertest

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// checking tests the optional interfaces. What a provider does not
// implement, verify-connection cannot check.
func checking() suite {
	return suite{
		{"ProbesWhatIsNeeded", probesWhatIsNeeded},
		{"TellsItsNetwork", tellsItsNetwork},
	}
}

func probesWhatIsNeeded(t *testing.T, b providers.Bucket) {
	if _, ok := providers.As[providers.Prober](b); !ok {
		t.Fatal("the bucket is no providers.Prober: verify-connection could say nothing about it")
	}
	checks := providers.Probe(t.Context(), b, tasks.Need{})
	if len(checks) == 0 {
		t.Fatal("no check was made")
	}
	for _, c := range checks {
		if c.ID == "" || c.Status == "" || c.Status == tasks.CheckFail {
			t.Errorf("the bucket exists and may be listed, but: %+v", c)
		}
	}
}

func tellsItsNetwork(t *testing.T, b providers.Bucket) {
	if at, ok := providers.As[providers.Located](b); ok {
		if at.Endpoint() == "" {
			t.Error("the bucket is providers.Located, but has no endpoint")
		}
		return
	}
	if _, ok := providers.As[providers.Diagnoser](b); !ok {
		t.Error("the bucket is neither providers.Located nor a providers.Diagnoser: " +
			"neither the network nor CORS rules could be checked, " +
			"and a large bucket would be listed in one stream")
	}
}
