package gcs_test

import (
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
