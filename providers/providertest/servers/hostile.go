package servers

import (
	"net/http"
	"testing"
)

// HostileServer is the server of deploy/emulators that does something
// wrong on purpose, in the APIs of all clouds.
type HostileServer struct {
	Endpoints  map[string]string `json:"endpoints"` // by provider
	Behaviours []Behaviour       `json:"behaviours"`
}

// Behaviour is something wrong that the server does. The name of a
// bucket asks for it: OPERATION-NAME-SUFFIX.
type Behaviour struct {
	Name       string   `json:"name"`
	Does       string   `json:"does"` // one line for people
	Operations []string `json:"operations"`
}

// Hostile finds the server.
func Hostile(t testing.TB) HostileServer {
	t.Helper()
	require(t, "hostile server", string(controlAddress()))
	var s HostileServer
	controlAddress().send(t, http.MethodGet, "/hostile", nil, &s)
	return s
}

// Hits returns how often a bucket has done something wrong.
func (HostileServer) Hits(t testing.TB, bucket string) int64 {
	t.Helper()
	var count struct{ Hits int64 }
	controlAddress().send(t, http.MethodGet, "/hostile/hits/"+bucket, nil, &count)
	return count.Hits
}
