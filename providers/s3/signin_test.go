package s3_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// asked notes the servers that requests go to, and lets none of them through.
type asked struct {
	mu      sync.Mutex
	servers []string
}

func (a *asked) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.servers = append(a.servers, r.URL.Scheme+"://"+r.URL.Host)
	return nil, http.ErrServerClosed
}

// Where a bucket says that its credentials are made is where it asks for
// them.
func TestSignIn(t *testing.T) {
	t.Parallel()
	role := tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: gateRole, ExternalID: gateExternal}
	for name, c := range map[string]struct {
		auth                 tasks.Auth
		region, sts, at, why string
	}{
		"role":              {role, "eu-west-1", "", "https://sts.eu-west-1.amazonaws.com", "is AWS's own for region eu-west-1"},
		"role in China":     {role, "cn-north-1", "", "https://sts.cn-north-1.amazonaws.com.cn", "is AWS's own for region cn-north-1"},
		"role, no region":   {role, "", "", "https://sts.us-east-1.amazonaws.com", "is AWS's own for region us-east-1"},
		"role, another STS": {role, "eu-west-1", "https://sts.example:8443", "https://sts.example:8443", "is set with the setting sts-endpoint on the workers"},
		"worker":            {tasks.Auth{Method: tasks.AuthWorkerIdentity}, "", "https://sts.example", "", ""},
		"anonymous":         {tasks.Auth{Method: tasks.AuthAnonymous}, "", "https://sts.example", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			way := &asked{}
			s := tasks.Storage{Provider: "s3", Bucket: "pictures", Region: c.region, Endpoint: "https://s3.example", Auth: c.auth}
			o := &s3.Opener{Client: &http.Client{Transport: way}, WorkerIdentity: true, STSEndpoint: c.sts, Attempts: 1}
			b := openWith(t, o, s, providers.Secrets{})
			got := b.(interface{ SignIn() providers.SignIn }).SignIn()
			if got.URL != c.at || got.Source != c.why {
				t.Errorf("got %+v", got)
			}
			if _, err := b.Stat(t.Context(), "k"); err == nil {
				t.Error("it was answered")
			}
			if c.at != "" && !slices.Equal(slices.Compact(way.servers), []string{c.at}) {
				t.Errorf("asked %q", way.servers)
			}
		})
	}
}
