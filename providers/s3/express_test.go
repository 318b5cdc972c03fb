package s3_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The SDK has no credentials to open a session with, and panics.
func TestDirectoryBucketsNeedCredentials(t *testing.T) {
	t.Parallel()
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	for _, name := range []string{"my-data--usw2-az1--x-s3", "my-point--usw2-az1--xa-s3"} {
		storage := tasks.Storage{Provider: "s3", Bucket: name, Region: "us-west-2", Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
		b, err := (&s3.Opener{Client: providertest.Client(refuse), Attempts: 1}).Open(t.Context(), storage, providers.Secrets{})
		if err == nil {
			for op, err := range providertest.Operations(t.Context(), b) {
				t.Log(op, err)
			}
		}
		var e *providers.Error
		if !errors.As(err, &e) || e.Op != "open" || e.Kind != providers.Invalid || e.Code != "AnonymousDirectoryBucket" || e.Fix == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
