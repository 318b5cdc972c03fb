package providertest

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// checking tests the optional interfaces: what a provider leaves out,
// verify-connection cannot check.
func checking() suite {
	return suite{
		{"ProbesWhatIsNeeded", testProbes},
		{"TellsItsNetwork", testTellsNetwork},
	}
}

func testProbes(t *testing.T, b providers.Bucket) {
	if _, ok := providers.As[providers.Prober](b); !ok {
		t.Fatal("the bucket is no providers.Prober, so verify-connection could say nothing about it")
	}
	checks := providers.Probe(t.Context(), b, tasks.Need{})
	if len(checks) == 0 {
		t.Fatal("no check was made")
	}
	for _, c := range checks {
		if c.ID == "" || c.Status == "" || c.Status == tasks.CheckFail {
			t.Errorf("a bucket that is there and may be listed: %+v", c)
		}
	}
}

func testTellsNetwork(t *testing.T, b providers.Bucket) {
	if at, ok := providers.As[providers.Located](b); ok {
		if at.Endpoint() == "" {
			t.Error("the bucket is providers.Located and has no endpoint")
		}
		return
	}
	if _, ok := providers.As[providers.Diagnoser](b); !ok {
		t.Error("the bucket is neither providers.Located nor a providers.Diagnoser: " +
			"the network would not be checked, nor CORS rules, and large buckets be listed in one stream")
	}
}
