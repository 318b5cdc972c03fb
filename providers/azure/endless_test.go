package azure_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// It is not parallel, because it measures the memory of the process.
func TestEndlessAnswers(t *testing.T) {
	const page = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>`
	azure := http.Header{"X-Ms-Request-Id": {"1"}, "Etag": {`"0x1"`}}
	answers := map[string]providertest.Endless{
		"EmptyBlobs":  {Begin: page, Again: "<Blob><Properties/></Blob>"},
		"Namespaces":  {Begin: page, Again: "<n:Blob><Properties/></n:Blob>"},
		"Metadata":    {Begin: page + "<Blob><Metadata>", Again: "<a>1</a><b>2</b><c>3</c>"},
		"LongNames":   {Begin: page, Again: "<Blob><Name>" + strings.Repeat("n", 5000) + "</Name></Blob>"},
		"ShortBlobs":  {Begin: page, Again: "<a>" + strings.Repeat("x", 500) + "</a>"},
		"OneName":     {Begin: page + "<Blob><Name>", Again: "n"},
		"Message":     {Begin: "<Error><Code>AuthorizationFailure</Code><Message>", Again: "denied "},
		"Spaces":      {Again: " "},
		"ManyMarkers": {Begin: page, Again: "<NextMarker>1</NextMarker>"},
	}
	for name, answer := range answers {
		answer.Header = azure
		answers[name] = answer
	}
	providertest.RunEndless(t, answers, func(endpoint string) providers.Bucket {
		return openOnce(t, endpoint+"/devstoreaccount1", "sv=2022-11-02&sig=c2ln")
	})
}
