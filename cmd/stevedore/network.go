package main

import (
	"context"
	"net/http"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/cors"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// network is how the worker reaches clouds: where it may connect to, the
// client that keeps to it, and in how many streams large buckets are listed.
type network struct {
	policy  egress.Policy
	client  *http.Client
	streams int
}

func newNetwork(a access) network { return network{a.egress, a.egress.Client(), a.listStreams} }

// located is a cloud's bucket: it knows where it is.
type located interface {
	providers.Bucket
	Endpoint() string      // base URL that requests go to
	SignIn() egress.SignIn // where its credentials are made, if that is elsewhere
	CORSTarget() string    // URL of an object, for a browser's preflight
}

// reached is an opener whose buckets can also tell whether the network leads
// to them, and whether a browser may follow: what no cloud knows of itself.
type reached struct {
	providers.Opener
	network network
	advise  func(tasks.Storage) func(tasks.CORS) string
}

// Open implements providers.Opener.
func (r reached) Open(ctx context.Context, s tasks.Storage, secrets providers.Secrets) (providers.Bucket, error) {
	b, err := r.Opener.Open(ctx, s, secrets)
	at, ok := b.(located)
	if err != nil || !ok {
		return b, err
	}
	return providers.Parallel(reachable{at, r.network, r.advise(s)}, r.network.streams), nil
}

type reachable struct {
	located
	network network
	advise  func(tasks.CORS) string
}

// Probe implements providers.Prober.
func (r reachable) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	return providers.Probe(ctx, r.located, need)
}

// Diagnose implements providers.Diagnoser.
func (r reachable) Diagnose(ctx context.Context) []tasks.Check {
	return r.network.policy.DiagnoseBoth(ctx, r.Endpoint(), r.SignIn())
}

// Preflight implements providers.Preflighter.
func (r reachable) Preflight(ctx context.Context, want tasks.CORS) []tasks.Check {
	return cors.Check(ctx, r.network.client, r.CORSTarget(), want, r.advise)
}

// The texts to paste for each cloud's CORS rules.
func s3CORS(s tasks.Storage) func(tasks.CORS) string    { return cors.S3(s.Bucket, s.Endpoint) }
func gcsCORS(s tasks.Storage) func(tasks.CORS) string   { return cors.GCS(s.Bucket) }
func azureCORS(s tasks.Storage) func(tasks.CORS) string { return cors.Azure(s.Account) }
