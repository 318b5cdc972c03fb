package sts

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// roles holds the roles that tests made and their open sessions.
type roles struct {
	iam gateway.IAM
	// base ends with the server. Sessions outlive the requests that
	// open them.
	base context.Context //nolint:containedctx // see above

	mu       sync.Mutex
	specs    map[string]roleSpec // by ARN
	sessions map[string]*session // by access key ID
	opened   map[string]int      // sessions opened so far, by ARN
}

func newRoles(ctx context.Context, iam gateway.IAM) *roles {
	return &roles{
		iam:      iam,
		base:     ctx,
		specs:    map[string]roleSpec{},
		sessions: map[string]*session{},
		opened:   map[string]int{},
	}
}

// roleSpec is what a test says about a role.
type roleSpec struct {
	Principals []string        `json:"principals"`  // access key IDs that may assume it
	ExternalID string          `json:"external_id"` // required of them; empty means none
	Policy     json.RawMessage `json:"policy"`      // what its sessions may do
	Seconds    int             `json:"seconds"`     // how long sessions live; 0 means as requested
	MaxSeconds int             `json:"max_seconds"` // the longest that may be requested; default 3600
}

// trusts reports whether the trust policy allows this caller.
func (r roleSpec) trusts(accessKeyID, externalID string) bool {
	return slices.Contains(r.Principals, accessKeyID) &&
		(r.ExternalID == "" || r.ExternalID == externalID)
}

func roleARN(name string) string { return "arn:aws:iam::" + gateway.Account + ":role/" + name }

func (r *roles) register(mux *http.ServeMux) {
	mux.HandleFunc("POST /roles/{name}", r.create)
	mux.HandleFunc("GET /roles/{name}", r.count)
	mux.HandleFunc("DELETE /roles/{name}", r.remove)
}

func (r *roles) create(w http.ResponseWriter, req *http.Request) {
	spec := roleSpec{MaxSeconds: 3600}
	err := json.NewDecoder(req.Body).Decode(&spec)
	arn := roleARN(req.PathValue("name"))
	r.mu.Lock()
	r.specs[arn] = spec
	r.mu.Unlock()
	web.Answer(w, map[string]string{"arn": arn}, err)
}

func (r *roles) count(w http.ResponseWriter, req *http.Request) {
	arn := roleARN(req.PathValue("name"))
	alive := len(r.sessionsOf(arn))
	r.mu.Lock()
	defer r.mu.Unlock()
	web.Answer(w, map[string]int{"opened": r.opened[arn], "alive": alive}, nil)
}

func (r *roles) remove(w http.ResponseWriter, req *http.Request) {
	arn := roleARN(req.PathValue("name"))
	r.mu.Lock()
	delete(r.specs, arn)
	r.mu.Unlock()
	for _, s := range r.sessionsOf(arn) {
		r.end(s)
	}
	web.Answer(w, struct{}{}, nil)
}

func (r *roles) find(arn string) (roleSpec, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	spec, ok := r.specs[arn]
	return spec, ok
}

// end closes a session and removes its user. It may be called twice.
func (r *roles) end(s *session) {
	r.mu.Lock()
	_, alive := r.sessions[s.keys.AccessKeyID]
	delete(r.sessions, s.keys.AccessKeyID)
	r.mu.Unlock()
	if alive {
		_ = r.iam.DeleteUser(r.base, s.user, s.keys.AccessKeyID)
	}
}
