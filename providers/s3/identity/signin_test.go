package identity_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// refusingTransport notes the servers that requests are for, and fails
// them all.
type refusingTransport struct {
	mu      sync.Mutex
	servers []string
}

func (r *refusingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers = append(r.servers, req.URL.Scheme+"://"+req.URL.Host)
	return nil, http.ErrServerClosed
}

// A bucket gets its credentials from the server that SignIn names.
func TestSignIn(t *testing.T) {
	t.Parallel()
	const own = "https://sts.example:8443"
	role, worker := s3test.RoleAuth(), tasks.Auth{Method: tasks.AuthWorkerIdentity}
	anonymous := tasks.Auth{Method: tasks.AuthAnonymous}
	for name, c := range map[string]struct {
		auth        tasks.Auth
		region, sts string
		want        providers.SignIn
	}{
		"role": {role, "eu-west-1", "", providers.SignIn{
			URL: "https://sts.eu-west-1.amazonaws.com", Source: "is AWS's own for region eu-west-1",
		}},
		"role in China": {role, "cn-north-1", "", providers.SignIn{
			URL: "https://sts.cn-north-1.amazonaws.com.cn", Source: "is AWS's own for region cn-north-1",
		}},
		"role, no region": {role, "", "", providers.SignIn{
			URL: "https://sts.us-east-1.amazonaws.com", Source: "is AWS's own for region us-east-1",
		}},
		"role, another STS": {role, "eu-west-1", own, providers.SignIn{
			URL: own, Source: "is set with the setting sts-endpoint on the workers",
		}},
		"worker":    {worker, "", own, providers.SignIn{}},
		"anonymous": {anonymous, "", own, providers.SignIn{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport := &refusingTransport{}
			s := tasks.Storage{
				Provider: "s3", Bucket: "pictures", Region: c.region, Auth: c.auth,
				Endpoint: "https://s3.us-east-1.amazonaws.com",
			}
			b := s3test.Open(t, &s3.Opener{
				Client:         &http.Client{Transport: transport},
				WorkerIdentity: true, STSEndpoint: c.sts, Attempts: 1,
			}, s, providers.Secrets{})
			if got := b.(providers.Located).SignIn(); got != c.want {
				t.Errorf("got %+v", got)
			}
			if _, err := b.Stat(t.Context(), "k"); err == nil {
				t.Error("a request succeeded")
			}
			servers := slices.Compact(transport.servers)
			if c.want.URL != "" && !slices.Equal(servers, []string{c.want.URL}) {
				t.Errorf("the requests went to %q", servers)
			}
		})
	}
}
