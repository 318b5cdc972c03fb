package providertest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// GCSServer is the Google Cloud Storage of deploy/emulators, which knows
// accounts, tokens and permissions.
type GCSServer struct {
	Endpoint string
	TokenURL string // where key files are exchanged for tokens
	control  S3Server
}

// GCSBucket is what a test says about a bucket. The zero value is a bucket in
// which only root may do something.
type GCSBucket struct {
	Grants            map[string][]string `json:"grants,omitempty"` // permissions of an email, or of allUsers
	RequesterPays     bool                `json:"requester_pays,omitempty"`
	Billers           map[string][]string `json:"billers,omitempty"` // projects that an email may name
	NoPublic          bool                `json:"public_access_prevention,omitempty"`
	Versioning        bool                `json:"versioning,omitempty"`
	KMSKey            string              `json:"kms_key,omitempty"` // that objects are said to be encrypted with
	CORS              []GCSCORS           `json:"cors,omitempty"`
	NoTestPermissions bool                `json:"no_test_permissions,omitempty"`
	Faults            map[string]GCSFault `json:"faults,omitempty"` // by operation: list, stat, get, create, delete, test or any
}

// GCSCORS is a rule of a bucket, in the form that gcloud takes.
type GCSCORS struct {
	Origin         []string `json:"origin"`
	Method         []string `json:"method"`
	ResponseHeader []string `json:"responseHeader"`
}

// GCSFault is an answer instead of the right one, to everybody but root.
type GCSFault struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body"`
}

// GCSAccount is what a test says about a service account.
type GCSAccount struct {
	Root   bool      `json:"root,omitempty"`    // may do everything
	ActsAs []string  `json:"acts_as,omitempty"` // emails that it may create tokens of
	Fault  *GCSFault `json:"fault,omitempty"`   // what the token endpoint answers
}

// GCSKey is a service account's key file.
type GCSKey struct {
	Email string
	JSON  string
}

// GCS finds the server that STEVEDORE_TEST_GCS_ENDPOINT and its companions
// describe. Without one the test is skipped, or fails when
// REQUIRE_SERVICES=1.
func GCS(t testing.TB) GCSServer {
	t.Helper()
	s := GCSServer{
		Endpoint: os.Getenv("STEVEDORE_TEST_GCS_ENDPOINT"), TokenURL: os.Getenv("STEVEDORE_TEST_GCS_TOKEN_URL"),
		control: S3Server{control: os.Getenv("STEVEDORE_TEST_CONTROL")},
	}
	const missing = "no Google Cloud Storage: run deploy/emulators and evaluate the file that its --env-file names"
	switch {
	case s.Endpoint != "" && s.TokenURL != "" && s.control.control != "":
	case os.Getenv("REQUIRE_SERVICES") == "1":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
	return s
}

// Bucket makes a new empty bucket and returns its name.
func (s GCSServer) Bucket(t testing.TB, b GCSBucket) string {
	t.Helper()
	name := "b" + strings.ToLower(rand.Text()[:16])
	s.Set(t, name, b)
	return name
}

// Set says something else about a bucket. Its objects stay.
func (s GCSServer) Set(t testing.TB, name string, b GCSBucket) {
	t.Helper()
	s.control.ask(t, http.MethodPost, "/gcs/buckets/"+name, text(t, b), nil)
}

// Account makes a service account with one key.
func (s GCSServer) Account(t testing.TB, a GCSAccount) GCSKey {
	t.Helper()
	return s.key(t, "a"+strings.ToLower(rand.Text()[:16]), a)
}

// Rotate gives an account another key. The old one is worth nothing then.
func (s GCSServer) Rotate(t testing.TB, k GCSKey, a GCSAccount) GCSKey {
	t.Helper()
	return s.key(t, k.name(), a)
}

// Remove deletes an account.
func (s GCSServer) Remove(t testing.TB, k GCSKey) {
	t.Helper()
	s.control.ask(t, http.MethodDelete, "/gcs/accounts/"+k.name(), "", nil)
}

func (k GCSKey) name() string {
	name, _, _ := strings.Cut(k.Email, "@")
	return name
}

func (s GCSServer) key(t testing.TB, name string, a GCSAccount) GCSKey {
	t.Helper()
	var file map[string]string
	s.control.ask(t, http.MethodPost, "/gcs/accounts/"+name, text(t, a), &file)
	return GCSKey{Email: file["client_email"], JSON: text(t, file)}
}

func text(t testing.TB, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
