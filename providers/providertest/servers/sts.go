package servers

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// STSServer is the token service of deploy/emulators. It has the
// users of the S3 server.
type STSServer struct {
	S3Server
	Endpoint string // of the token service; that of the S3 server is S3Server.Endpoint
}

// Role is a role that users can assume.
type Role struct {
	Principals []string `json:"principals"` // access key IDs that its trust policy names
	ExternalID string   `json:"external_id,omitempty"`
	// Policy is an IAM policy document: what its sessions may do.
	Policy json.RawMessage `json:"policy"`
	// Seconds is how long its sessions last, whatever a user asks
	// for.
	Seconds int `json:"seconds,omitempty"`
	// MaxSeconds is the longest session that a user may ask for; 0
	// means an hour.
	MaxSeconds int `json:"max_seconds,omitempty"`
}

// STS finds the token service and the S3 server.
func STS(t testing.TB) STSServer {
	t.Helper()
	s := STSServer{S3(t), os.Getenv("STEVEDORE_TEST_STS_ENDPOINT")}
	require(t, "STS", s.Endpoint)
	return s
}

// Role makes a role until the test ends, and returns its ARN.
func (s STSServer) Role(t testing.TB, r Role) string {
	t.Helper()
	path := "/roles/" + newName("r")
	var created struct{ ARN string }
	s.control.send(t, http.MethodPost, path, r, &created)
	t.Cleanup(func() { s.control.send(t, http.MethodDelete, path, nil, nil) })
	return created.ARN
}

// Sessions returns how often a role was assumed, and how many of its
// sessions have not expired.
func (s STSServer) Sessions(t testing.TB, arn string) (opened, alive int) {
	t.Helper()
	var count struct{ Opened, Alive int }
	_, name, _ := strings.Cut(arn, ":role/")
	s.control.send(t, http.MethodGet, "/roles/"+name, nil, &count)
	return count.Opened, count.Alive
}
