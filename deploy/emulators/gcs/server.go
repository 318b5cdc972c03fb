// Package gcs emulates Google Cloud Storage. It puts a gate in front
// of fake-gcs-server, which stores and lists objects but allows
// everything to everybody. The gate knows accounts, tokens and
// permissions, and answers in Google's words. Statuses and bodies
// follow
// https://cloud.google.com/storage/docs/json_api/v1/status-codes and
// https://cloud.google.com/storage/docs/xml-api/reference-status.
package gcs

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Server is an emulated Google Cloud Storage with its token service.
type Server struct {
	url      string
	fake     *fakestorage.Server
	accounts *accounts

	mu      sync.Mutex
	buckets map[string]bucket
	// writes holds a lock for each bucket: the fake checks some
	// conditions and writes later, so writes must come one after the
	// other.
	writes map[string]*sync.Mutex
}

// Start serves the emulator until ctx ends.
func Start(ctx context.Context) (*Server, error) {
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true})
	if err != nil {
		return nil, err
	}
	s := &Server{
		fake:    fake,
		buckets: map[string]bucket{},
		writes:  map[string]*sync.Mutex{},
	}
	if s.accounts, err = newAccounts(); err != nil {
		return nil, err
	}
	s.url, err = web.Serve(ctx, s)
	s.accounts.setAudience(s.TokenURL())
	return s, err
}

// URL returns the endpoint for storage clients.
func (s *Server) URL() string { return s.url }

// TokenURL returns where clients exchange a signed assertion for a
// token.
func (s *Server) TokenURL() string { return s.url + tokenPath }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == tokenPath:
		s.accounts.serveToken(w, r)
	case strings.HasPrefix(r.URL.Path, impersonationPath):
		s.accounts.serveImpersonation(w, r)
	default:
		s.serveStorage(w, r)
	}
}

// serveStorage answers a request to a bucket.
func (s *Server) serveStorage(w http.ResponseWriter, r *http.Request) {
	c, ok := parseCall(r)
	if !ok {
		failure{http.StatusNotFound, "notFound", "Not Found"}.write(w, c)
		return
	}
	s.mu.Lock()
	b, exists := s.buckets[c.bucket]
	writes := s.writes[c.bucket]
	s.mu.Unlock()
	if r.Method == http.MethodOptions {
		b.preflight(w, r, c)
		return
	}

	caller, known := s.accounts.caller(r)
	switch {
	case !known:
		failure{http.StatusUnauthorized, "authError", "Invalid Credentials"}.write(w, c)
	case !exists:
		failure{http.StatusNotFound, "notFound", missingBucket}.write(w, c)
	default:
		g := gate{
			fake: s.fake, bucket: b, call: c, caller: caller, root: s.accounts.isRoot(caller),
		}
		g.serve(w, r, writes)
	}
}
