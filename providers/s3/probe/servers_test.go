package probe_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// refuse answers every request as a server does that refuses it.
func refuse(status int, document string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+document)
	}
}

// The answers that servers like S3 really give. One check fails and
// says what to do, and those after it are skipped.
func TestServersLikeS3(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer      http.HandlerFunc
		check, code string
		fix         string // words of it
		endpoint    string // %s is the server's URL, which is the default
	}{
		"R2, unknown key": {
			answer: refuse(401, `<Error><Code>Unauthorized</Code><Message>Unauthorized</Message></Error>`),
			check:  "credentials", code: "Unauthorized", fix: "access key ID and the secret",
		},
		"S3Proxy, wrong secret": {
			answer: refuse(403, `<Error><Code>SignatureDoesNotMatch</Code><Message>Forbidden</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`),
			check:  "credentials", code: "SignatureDoesNotMatch", fix: "secret access key",
		},
		"S3Proxy, no bucket": {
			answer: refuse(404, `<Error><Code>NoSuchBucket</Code><Message>Not Found</Message></Error>`),
			check:  "list", code: "NoSuchBucket", fix: "bucket name",
		},
		"S3Proxy, busy": {
			answer: refuse(503, `<Error><Code>SlowDown</Code><Message>Service Unavailable</Message></Error>`),
			check:  "list", code: "SlowDown", fix: "fewer",
		},
		"Garage, wrong secret": {
			answer: refuse(403, `<Error><Code>AccessDenied</Code><Message>Forbidden: Invalid signature</Message><Resource>/b</Resource><Region>garage</Region></Error>`),
			check:  "credentials", code: "AccessDenied", fix: "secret access key",
		},
		"Garage, unknown key": {
			answer: refuse(403, `<Error><Code>AccessDenied</Code><Message>Forbidden: No such key: AKIA</Message><Resource>/b</Resource><Region>garage</Region></Error>`),
			check:  "credentials", code: "AccessDenied", fix: "access key ID is unknown",
		},
		"OSS, path style": {
			answer: refuse(403, `<Error><Code>SecondLevelDomainForbidden</Code><Message>The bucket you are attempting to access must be addressed using OSS third level domain.</Message><RequestId>5C3D9175B6FC201293AD4890</RequestId><HostId>oss-cn-hangzhou.aliyuncs.com</HostId></Error>`),
			check:  "list", code: "SecondLevelDomainForbidden", fix: "set addressing to virtual",
		},
		"COS, path style": {
			answer: refuse(403, `<Error><Code>PathStyleDomainForbidden</Code><Message>The bucket you are attempting to access must be addressed using COS virtual-styled domain.</Message></Error>`),
			check:  "list", code: "PathStyleDomainForbidden", fix: "set addressing to virtual",
		},
		"endpoint with the bucket in its path": {
			answer: refuse(404, `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>b</Key></Error>`),
			check:  "list", code: "EndpointHoldsBucket", fix: "Remove /b from the endpoint", endpoint: "%s/b/",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.answer)
			defer server.Close()
			if c.endpoint == "" {
				c.endpoint = "%s"
			}
			s, secrets := s3test.Storage(t, fmt.Sprintf(c.endpoint, server.URL), "b", s3test.Keys())
			s3test.CheckOneFailure(t, s3test.Open(t, &s3.Opener{}, s, secrets), c.check, c.code, c.fix)
		})
	}
}

// An endpoint whose host begins with the bucket answers a listing as if
// it read an object.
func TestEndpointThatHoldsTheBucket(t *testing.T) {
	t.Parallel()
	s, secrets := s3test.Storage(t, "https://photos.nyc3.digitaloceanspaces.com", "photos", s3test.Keys())
	answer := refuse(404, `<Error><Code>NoSuchKey</Code><BucketName>photos</BucketName><RequestId>tx00</RequestId></Error>`)
	b := s3test.OpenVia(t, answer, s, secrets)
	s3test.CheckOneFailure(t, b, "list", "EndpointHoldsBucket", "Remove photos. from the endpoint")
}

// Garage's region is whatever its configuration says. It is found out
// from the answer.
func TestGarageRegion(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"by the element": `<Error><Code>AuthorizationHeaderMalformed</Code><Message>Authorization header malformed</Message><Resource>/b</Resource><Region>garage</Region></Error>`,
		"by the message": `<Error><Code>AuthorizationHeaderMalformed</Code><Message>Authorization header malformed, unexpected scope: '20261127/us-east-1/s3/aws4_request', expected: '20261127/garage/s3/aws4_request'</Message></Error>`,
	} {
		for _, given := range []string{"", "eu-west-1", "garage"} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.Contains(r.Header.Get("Authorization"), "/garage/s3/aws4_request") {
					refuse(400, document)(w, r)
					return
				}
				_, _ = io.WriteString(w, s3test.Listing(s3test.Entry("k")))
			}))
			defer server.Close()
			s, secrets := s3test.Storage(t, server.URL, "b", s3test.Keys())
			s.Region = given
			checks := s3test.Probe(t, s3test.Open(t, &s3.Opener{}, s, secrets), tasks.Need{})
			want := map[string]tasks.CheckStatus{"": ok, "eu-west-1": warn, "garage": ok}[given]
			if got := checks["region"]; got.Status != want || !strings.Contains(got.Evidence, "garage") {
				t.Errorf("%s, given %q: %+v", name, given, got)
			}
			if checks["list"].Status != ok {
				t.Errorf("%s, given %q: %+v", name, given, checks["list"])
			}
		}
	}
}

// A bucket that never had versioning lists its objects as versions.
func TestVersioningThatWasNeverOn(t *testing.T) {
	t.Parallel()
	const (
		plain   = `<Version><Key>k</Key><VersionId>null</VersionId><IsLatest>true</IsLatest></Version>`
		version = `<Version><Key>k</Key><VersionId>3HL4kqtJlcpXroDTDmJ</VersionId><IsLatest>true</IsLatest></Version>`
		marker  = `<DeleteMarker><Key>k</Key><VersionId>null</VersionId></DeleteMarker>`
		enabled = `<Status>Enabled</Status>`
		denied  = "denied"
	)
	for _, c := range []struct {
		versions, setting string
		want              tasks.CheckStatus
	}{
		{plain, "", warn},
		{plain, denied, warn},
		{plain, enabled, ok}, // switched on after the object was stored
		{plain, `<Status>Suspended</Status>`, ok},
		{"", "", warn},
		{"", denied, ok}, // nothing shows it
		{plain + version, denied, ok},
		{marker, denied, ok},
	} {
		b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
			switch q := r.URL.Query(); {
			case q.Has("versions"):
				_, _ = io.WriteString(w, `<ListVersionsResult><Name>b</Name>`+c.versions+`</ListVersionsResult>`)
			case q.Has("versioning") && c.setting == denied:
				s3test.WriteError(w, 403, "AccessDenied", "Access Denied")
			case q.Has("versioning"):
				_, _ = io.WriteString(w, `<VersioningConfiguration>`+c.setting+`</VersioningConfiguration>`)
			default:
				_, _ = io.WriteString(w, s3test.Listing(""))
			}
		})
		got := s3test.Probe(t, b, tasks.Need{Versions: true})["versions"]
		if got.Status != c.want || got.Status == warn && !strings.Contains(got.Fix, "put-bucket-versioning --bucket b ") {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
