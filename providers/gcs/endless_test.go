package gcs_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// It is not parallel, because it measures the memory of the process.
func TestEndlessAnswers(t *testing.T) {
	const page = `{"kind":"storage#objects","items":[{}`
	providertest.RunEndless(t, map[string]providertest.Endless{
		"EmptyItems": {Begin: page, Again: ",{}"},
		"Nulls":      {Begin: page, Again: ",null"},
		"Prefixes":   {Begin: `{"kind":"storage#objects","prefixes":[""`, Again: `,""`},
		"Rules":      {Begin: page + `,{"acl":[{}`, Again: ",{}"},
		"Metadata":   {Begin: page + `,{"metadata":{"a":""`, Again: `,"b":""`},
		"LongNames":  {Begin: page, Again: `,{"name":"` + strings.Repeat("n", 5000) + `"}`},
		"OneName":    {Begin: page + `,{"name":"`, Again: "n"},
		"Message":    {Begin: `{"error":{"message":"`, Again: "denied "},
		"Spaces":     {Again: " "},
	}, func(endpoint string) providers.Bucket {
		return open(t, &gcs.Opener{Client: guarded(t), Attempts: 1}, anonymous(endpoint, "bucket"), providers.Secrets{})
	})
}

// The answer of a token endpoint is bounded too.
func TestEndlessToken(t *testing.T) {
	t.Parallel()
	key, err := json.Marshal(goodKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			for err := error(nil); err == nil; {
				_, err = io.WriteString(w, `{"access_token":"`+strings.Repeat("x", 4<<10))
			}
		}))
		t.Cleanup(server.Close)
		s, secrets := storage(t, server.URL, "bucket", string(key))
		b := open(t, &gcs.Opener{Client: guarded(t), TokenURL: server.URL, Attempts: 1}, s, secrets)
		providertest.WantServerFault(t, providertest.Operation(t.Context(), b, "stat"), "AnswerTooLarge", "a sign in request with")
	}
}
