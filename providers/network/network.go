// Package network connects jobs to buckets. It holds the guarded HTTP
// client that all clouds share, the checks of the network that no
// cloud can make itself, and the one function that wraps a provider's
// bucket for a job.
//
// It knows the egress policy and what providers.Located tells. It
// knows no cloud and no job.
package network

import (
	"context"
	"crypto/x509"
	"net/http"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/cors"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Network is how a process reaches clouds. Make it with New, once. It
// is safe for concurrent use.
type Network struct {
	policy egress.Policy
	client *http.Client
	roots  *x509.CertPool // authorities that checks trust; nil means those of the system
}

// New makes a network that connects only where policy allows.
func New(policy egress.Policy) *Network {
	return &Network{policy: policy, client: policy.Client()}
}

// Client returns the client that keeps to the policy. Every opener of
// a cloud is made with it, so that they share its connections.
func (n *Network) Client() *http.Client { return n.client }

// WithChecks makes a bucket that is Located a providers.Diagnoser and
// a providers.Preflighter. It returns any other bucket itself.
func (n *Network) WithChecks(b providers.Bucket) providers.Bucket {
	at, ok := providers.As[providers.Located](b)
	if !ok {
		return b
	}
	return checked{b, at, n}
}

type checked struct {
	providers.Bucket
	at      providers.Located
	network *Network
}

var (
	_ providers.Diagnoser   = checked{}
	_ providers.Preflighter = checked{}
)

// Unwrap lets providers.As look further.
func (c checked) Unwrap() providers.Bucket { return c.Bucket }

// Diagnose implements providers.Diagnoser.
func (c checked) Diagnose(ctx context.Context) []tasks.Check {
	return c.network.Diagnose(ctx, c.at.Endpoint(), c.at.SignIn())
}

// Preflight implements providers.Preflighter.
func (c checked) Preflight(ctx context.Context, want tasks.CORS) []tasks.Check {
	return cors.Check(ctx, c.network.client, c.at.CORSTarget(), want, c.at.CORSAdvice)
}
