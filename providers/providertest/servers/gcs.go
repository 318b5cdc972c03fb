package servers

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// GCSServer is the Google Cloud Storage of deploy/emulators. It knows
// accounts, tokens and permissions.
type GCSServer struct {
	Endpoint string
	TokenURL string // where key files are exchanged for tokens
	control  control
}

// GCSBucket is the configuration of a bucket. The zero value allows
// nothing to anybody but root.
type GCSBucket struct {
	// Grants holds the permissions of an email, or of allUsers.
	Grants        map[string][]string `json:"grants,omitempty"`
	RequesterPays bool                `json:"requester_pays,omitempty"`
	// Billers holds the projects that an email may name.
	Billers    map[string][]string `json:"billers,omitempty"`
	NoPublic   bool                `json:"public_access_prevention,omitempty"`
	Versioning bool                `json:"versioning,omitempty"`
	// KMSKey is the key that objects are said to be encrypted with.
	KMSKey            string    `json:"kms_key,omitempty"`
	CORS              []GCSCORS `json:"cors,omitempty"`
	NoTestPermissions bool      `json:"no_test_permissions,omitempty"`
	// Faults holds wrong answers by operation: list, stat, get,
	// create, delete, test or any.
	Faults map[string]GCSFault `json:"faults,omitempty"`
}

// GCSCORS is a CORS rule of a bucket, in the form that gcloud takes.
type GCSCORS struct {
	Origin         []string `json:"origin"`
	Method         []string `json:"method"`
	ResponseHeader []string `json:"responseHeader"`
}

// GCSFault is an answer that replaces the right one, for every
// account but root.
type GCSFault struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body"`
}

// GCSAccount is the configuration of a service account.
type GCSAccount struct {
	Root   bool      `json:"root,omitempty"`    // may do everything
	ActsAs []string  `json:"acts_as,omitempty"` // emails that it may create tokens for
	Fault  *GCSFault `json:"fault,omitempty"`   // what the token endpoint answers
}

// GCSKey is the key file of a service account.
type GCSKey struct {
	Email string
	JSON  string
}

// GCS finds the server.
func GCS(t testing.TB) GCSServer {
	t.Helper()
	s := GCSServer{
		Endpoint: os.Getenv("STEVEDORE_TEST_GCS_ENDPOINT"),
		TokenURL: os.Getenv("STEVEDORE_TEST_GCS_TOKEN_URL"),
		control:  controlAddress(),
	}
	require(t, "Google Cloud Storage", s.Endpoint, s.TokenURL, string(s.control))
	return s
}

// Bucket makes a new empty bucket and returns its name.
func (s GCSServer) Bucket(t testing.TB, b GCSBucket) string {
	t.Helper()
	name := newName("b")
	s.Set(t, name, b)
	return name
}

// Set replaces the configuration of a bucket. Its objects stay.
func (s GCSServer) Set(t testing.TB, name string, b GCSBucket) {
	t.Helper()
	s.control.send(t, http.MethodPost, "/gcs/buckets/"+name, b, nil)
}

// Account makes a service account with one key.
func (s GCSServer) Account(t testing.TB, a GCSAccount) GCSKey {
	t.Helper()
	return s.newKey(t, newName("a"), a)
}

// Rotate gives an account another key. The old one no longer works.
func (s GCSServer) Rotate(t testing.TB, k GCSKey, a GCSAccount) GCSKey {
	t.Helper()
	return s.newKey(t, k.account(), a)
}

// Remove deletes an account.
func (s GCSServer) Remove(t testing.TB, k GCSKey) {
	t.Helper()
	s.control.send(t, http.MethodDelete, "/gcs/accounts/"+k.account(), nil, nil)
}

func (k GCSKey) account() string {
	name, _, _ := strings.Cut(k.Email, "@")
	return name
}

func (s GCSServer) newKey(t testing.TB, account string, a GCSAccount) GCSKey {
	t.Helper()
	var file map[string]string
	s.control.send(t, http.MethodPost, "/gcs/accounts/"+account, a, &file)
	return GCSKey{Email: file["client_email"], JSON: toJSON(t, file)}
}
