package identity_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// A server that a payload names gets no credentials that AWS gave to
// the worker: neither the worker's own nor those of a role.
func TestWorkerIdentityGoesOnlyToAWS(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(server.Close)
	o := &s3.Opener{Client: server.Client(), WorkerIdentity: true, Attempts: 1}
	for _, endpoint := range []string{
		server.URL, "https://s3.example", "https://evil.example/s3.us-east-1.amazonaws.com",
		"https://s3.us-east-1.amazonaws.com.evil.example", "https://evils3.us-east-1.amazonaws.com",
		"http://s3.us-east-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com:8443",
		"https://s3.amazonaws.com@evil.example", "https://b6k1.execute-api.us-east-1.amazonaws.com",
		"https://s3-1234567890.us-east-1.elb.amazonaws.com", "https://ec2-52-1-2-3.compute-1.amazonaws.com",
		"https://vpce-0a1b.vpce-svc-0a1b.us-east-1.vpce.amazonaws.com",
	} {
		for _, auth := range []tasks.Auth{{Method: tasks.AuthWorkerIdentity}, s3test.RoleAuth()} {
			s := tasks.Storage{Provider: "s3", Bucket: "pictures", Endpoint: endpoint, Auth: auth}
			b, err := o.Open(t.Context(), s, providers.Secrets{})
			var e *providers.Error
			if !errors.As(err, &e) || e.Code != "WorkerIdentityEndpoint" || e.Kind != providers.Invalid ||
				!strings.Contains(e.Fix, "Remove the endpoint") {
				t.Errorf("%s to %s: %v", auth.Method, endpoint, err)
			}
			if err == nil {
				_, _ = b.Stat(t.Context(), "k")
			}
		}
	}
	if n := requests.Load(); n > 0 {
		t.Errorf("%d requests were made", n)
	}
}

// The endpoints of AWS itself are allowed, also those of a VPC.
func TestWorkerIdentityAtEndpointsOfAWS(t *testing.T) {
	t.Parallel()
	o := &s3.Opener{Client: http.DefaultClient, WorkerIdentity: true}
	for _, endpoint := range []string{
		"", "https://s3.amazonaws.com", "https://s3.eu-west-1.amazonaws.com", "https://s3-us-west-2.amazonaws.com",
		"https://s3.dualstack.us-gov-west-1.amazonaws.com", "https://s3-fips.us-east-2.amazonaws.com:443/",
		"https://s3.cn-north-1.amazonaws.com.cn", "https://s3-accelerate.dualstack.amazonaws.com",
		"https://bucket.vpce-0a1b2c3d-4e5f.s3.ap-northeast-1.vpce.amazonaws.com", "https://S3.EU-West-1.AmazonAWS.com",
		"https://s3.eusc-de-east-1.amazonaws.eu",
	} {
		for _, auth := range []tasks.Auth{{Method: tasks.AuthWorkerIdentity}, s3test.RoleAuth()} {
			s := tasks.Storage{Provider: "s3", Bucket: "pictures", Endpoint: endpoint, Auth: auth}
			if _, err := o.Open(t.Context(), s, providers.Secrets{}); err != nil {
				t.Errorf("%s to %q: %v", auth.Method, endpoint, err)
			}
		}
	}
}

// Which servers may get the sessions of a role depends on whose STS
// makes them. A person at the keyboard names endpoints of their own.
func TestSessionsOfAnotherSTS(t *testing.T) {
	t.Parallel()
	role := tasks.Storage{Provider: "s3", Bucket: "pictures", Endpoint: "https://minio.example", Auth: s3test.RoleAuth()}
	own := role
	own.Auth = tasks.Auth{Method: tasks.AuthWorkerIdentity}
	for name, c := range map[string]struct {
		opener  *s3.Opener
		storage tasks.Storage
		refused bool
	}{
		"a server of one's own":          {&s3.Opener{STSEndpoint: "https://minio.example"}, role, false},
		"a VPC endpoint of AWS's STS":    {&s3.Opener{STSEndpoint: "https://vpce-0a1b.sts.us-east-1.vpce.amazonaws.com"}, role, true},
		"the worker's, whatever the STS": {&s3.Opener{STSEndpoint: "https://minio.example", WorkerIdentity: true}, own, true},
		"a person":                       {&s3.Opener{Person: true, WorkerIdentity: true}, own, false},
		"a person with a role":           {&s3.Opener{Person: true}, role, false},
	} {
		c.opener.Client = http.DefaultClient
		if _, err := c.opener.Open(t.Context(), c.storage, providers.Secrets{}); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
