package s3

import (
	"net/url"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/identity"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// location knows the servers that a bucket's requests go to.
type location struct {
	storage  tasks.Storage
	client   *client.Client
	identity identity.Identity
}

// Endpoint implements providers.Located. The URL may change once the
// bucket's region is known.
func (l location) Endpoint() string {
	at, err := l.client.URL()
	if err != nil {
		return l.storage.Endpoint
	}
	return (&url.URL{Scheme: at.Scheme, Host: at.Host}).String()
}

// SignIn implements providers.Located. It returns the STS where the
// role is assumed. Other credentials are in the payload, or the worker
// has them.
func (l location) SignIn() providers.SignIn {
	if l.identity.Role == nil {
		return providers.SignIn{}
	}
	return l.identity.Role.SignIn()
}

// CORSTarget implements providers.Located.
func (l location) CORSTarget() string {
	at, err := l.client.URL()
	if err != nil {
		return ""
	}
	return at.JoinPath(l.storage.Dir() + "stevedore-cors-check").String()
}

// CORSAdvice implements providers.Located.
func (l location) CORSAdvice(want tasks.CORS) string {
	return policy.S3CORS(l.storage.Bucket, l.storage.Endpoint, want)
}
