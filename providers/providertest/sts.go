package providertest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// STSServer is the token service of deploy/emulators, which knows the same
// users as its S3 server.
type STSServer struct {
	S3Server
	Endpoint string // of the STS; the S3 server's is S3Server.Endpoint
}

// Role is what can be assumed.
type Role struct {
	Principals []string        `json:"principals"` // access key IDs that its trust policy names
	ExternalID string          `json:"external_id,omitempty"`
	Policy     json.RawMessage `json:"policy"`                // an IAM policy document: what its sessions may do
	Seconds    int             `json:"seconds,omitempty"`     // how long its sessions live, whatever is asked for
	MaxSeconds int             `json:"max_seconds,omitempty"` // the longest that may be asked for; an hour when 0
}

// STS finds the servers that STEVEDORE_TEST_STS_ENDPOINT and the variables of
// S3 describe, as S3 does.
func STS(t testing.TB) STSServer {
	t.Helper()
	s := STSServer{S3(t), os.Getenv("STEVEDORE_TEST_STS_ENDPOINT")}
	const missing = "no STS: run deploy/emulators and evaluate the file that its --env-file names"
	switch {
	case s.Endpoint != "":
	case os.Getenv("REQUIRE_SERVICES") == "1":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
	return s
}

// Role makes a role until the test ends, and returns its ARN.
func (s STSServer) Role(t testing.TB, r Role) string {
	t.Helper()
	name := "r" + strings.ToLower(rand.Text()[:16])
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ ARN string }
	s.ask(t, http.MethodPost, "/roles/"+name, string(body), &made)
	t.Cleanup(func() { s.ask(t, http.MethodDelete, "/roles/"+name, "", nil) })
	return made.ARN
}

// Sessions is how often a role was assumed, and how many of its sessions have
// not ended.
func (s STSServer) Sessions(t testing.TB, arn string) (opened, alive int) {
	t.Helper()
	var count struct{ Opened, Alive int }
	_, name, _ := strings.Cut(arn, ":role/")
	s.ask(t, http.MethodGet, "/roles/"+name, "", &count)
	return count.Opened, count.Alive
}
