package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// roles are what can be assumed, and the sessions that were:
//
//	POST   /roles/NAME    makes a role of the JSON of roleSpec; the answer is its ARN
//	GET    /roles/NAME    how many sessions were opened and how many are alive
//	DELETE /roles/NAME    removes it with its sessions
type roles struct {
	iam  iamClient
	base context.Context //nolint:containedctx // sessions end with the server, not with the request that opened them

	mu       sync.Mutex
	specs    map[string]roleSpec // by ARN
	sessions map[string]*session // by access key ID
	opened   map[string]int      // by ARN
}

type roleSpec struct {
	Principals []string        `json:"principals"`  // access key IDs that the trust policy names; none means nobody
	ExternalID string          `json:"external_id"` // empty: not asked for
	Policy     json.RawMessage `json:"policy"`      // what its sessions may do
	Seconds    int             `json:"seconds"`     // how long sessions live, whatever is asked for; 0: as asked
	MaxSeconds int             `json:"max_seconds"` // 0 means an hour
}

func (r roleSpec) trusts(accessKeyID string) bool { return slices.Contains(r.Principals, accessKeyID) }

type session struct {
	role, user, arn, id string
	keys                keys
	ends                time.Time
}

func roleARN(name string) string { return "arn:aws:iam::" + account + ":role/" + name }

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
	answer(w, map[string]string{"arn": arn}, err)
}

func (r *roles) count(w http.ResponseWriter, req *http.Request) {
	arn := roleARN(req.PathValue("name"))
	r.mu.Lock()
	defer r.mu.Unlock()
	alive := 0
	for _, s := range r.sessions {
		if s.role == arn {
			alive++
		}
	}
	answer(w, map[string]int{"opened": r.opened[arn], "alive": alive}, nil)
}

func (r *roles) remove(w http.ResponseWriter, req *http.Request) {
	arn := roleARN(req.PathValue("name"))
	r.mu.Lock()
	delete(r.specs, arn)
	var ended []*session
	for _, s := range r.sessions {
		if s.role == arn {
			ended = append(ended, s)
		}
	}
	r.mu.Unlock()
	for _, s := range ended {
		r.end(s)
	}
	answer(w, struct{}{}, nil)
}

func (r *roles) find(arn string) (roleSpec, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	spec, ok := r.specs[arn]
	return spec, ok
}

// caller finds who acts as a role by access key ID.
func (r *roles) caller(id string) (principal, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sessions[id]
	if !ok {
		return principal{}, false
	}
	return principal{arn: s.arn, id: s.id, keys: s.keys}, true
}

// open makes the user of a session, until it ends.
func (r *roles) open(ctx context.Context, arn, name string, life time.Duration) (*session, error) {
	spec, _ := r.find(arn)
	user := "session" + strings.ToLower(rand.Text()[:16])
	k, err := r.iam.createUser(ctx, user, string(spec.Policy))
	if err != nil {
		return nil, err
	}
	s := &session{
		role: arn, user: user, id: "AROA" + rand.Text()[:16] + ":" + name, keys: k, ends: time.Now().Add(life),
		arn: strings.Replace(strings.Replace(arn, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/" + name,
	}
	r.mu.Lock()
	r.sessions[k.AccessKeyID] = s
	r.opened[arn]++
	r.mu.Unlock()
	time.AfterFunc(life, func() { r.end(s) })
	return s, nil
}

// end removes a session's user. It may be called twice.
func (r *roles) end(s *session) {
	r.mu.Lock()
	_, alive := r.sessions[s.keys.AccessKeyID]
	delete(r.sessions, s.keys.AccessKeyID)
	r.mu.Unlock()
	if alive {
		_ = r.iam.deleteUser(r.base, s.user, s.keys.AccessKeyID)
	}
}
