package s3_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// It is not parallel, because it measures the memory of the process.
func TestEndlessAnswers(t *testing.T) {
	const page = `<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>`
	providertest.RunEndless(t, map[string]providertest.Endless{
		"EmptyObjects": {Begin: page, Again: "<Contents/>"},
		"Checksums":    {Begin: page + "<Contents>", Again: "<ChecksumAlgorithm>a</ChecksumAlgorithm>"},
		"LongKeys":     {Begin: page, Again: "<Contents><Key>" + strings.Repeat("k", 5000) + "</Key></Contents>"},
		"OneKey":       {Begin: page + "<Contents><Key>", Again: "k"},
		"Message":      {Begin: "<Error><Code>AccessDenied</Code><Message>", Again: "denied "},
		"Page":         {Begin: "<html>", Again: "<p>"},
		"Spaces":       {Again: " "},
	}, func(endpoint string) providers.Bucket {
		storage, secrets := s3test.Storage(t, endpoint, "b", s3test.Keys())
		return s3test.Open(t, &s3.Opener{Attempts: 1}, storage, secrets)
	})
}
