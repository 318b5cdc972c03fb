package gcs_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
)

// testKey makes one private key for all tests, because making one is
// slow.
var testKey = sync.OnceValues(func() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
})

func privateKey(t testing.TB) string {
	t.Helper()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// setIdentity makes a key file the worker's own identity. Unlike a
// payload's, the operator's key file may hold another token endpoint.
func setIdentity(t *testing.T, server servers.GCSServer, key servers.GCSKey) {
	t.Helper()
	var file map[string]string
	if err := json.Unmarshal([]byte(key.JSON), &file); err != nil {
		t.Fatal(err)
	}
	file["token_uri"] = server.TokenURL
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "adc.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
}

func wantError(t testing.TB, err error, kind providers.Kind, code string) *providers.Error {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error that is %s", err, kind)
	}
	if e.Kind != kind || e.Code != code {
		t.Errorf("got %v (kind %s, code %q), want %s, %q", e, e.Kind, e.Code, kind, code)
	}
	return e
}
