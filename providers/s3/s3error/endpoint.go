package s3error

import (
	"net/url"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// checkEndpoint names a mistake that no server can name: the endpoint
// holds the bucket already. Every key then has the bucket twice. A
// listing shows it for certain, because its answer is that of a read.
// Any other missing key may also be just that, so there it is advice.
//
// An endpoint may hold a name like the bucket's for good reasons, so it
// is no mistake before an answer says so.
func (w Wrapper) checkEndpoint(e *providers.Error) {
	part := w.bucketInEndpoint()
	if part == "" {
		return
	}
	fix := "Remove " + part + " from the endpoint: it holds the bucket already."
	isListing := e.Op == "list" || e.Op == "versions"
	switch {
	case isListing && (IsMissingKey(e) || e.Code == codeNotS3),
		strings.HasPrefix(e.Fix, unknownHost):
		e.Kind, e.Code, e.Fix = providers.Invalid, "EndpointHoldsBucket", fix
		e.Detail = "the endpoint already holds the bucket"
	case e.Kind == providers.NotFound, isListing && e.Kind == providers.Denied:
		e.Fix = e.Advice() + " Or: " + fix
	}
}

// bucketInEndpoint returns the part of the endpoint that names the
// bucket: the first label of its host or the end of its path. It is
// empty if no part does.
func (w Wrapper) bucketInEndpoint() string {
	at, err := url.Parse(w.Storage.Endpoint)
	if err != nil || w.Storage.Endpoint == "" {
		return ""
	}
	bucket := w.Storage.Bucket
	switch {
	case strings.HasSuffix(strings.TrimRight(at.Path, "/"), "/"+bucket):
		return "/" + bucket
	case strings.HasPrefix(at.Hostname(), bucket+"."):
		return bucket + "."
	}
	return ""
}
