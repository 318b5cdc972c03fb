package azure_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// transport answers requests with a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A person's token comes from az login, and goes to Azure only. The test
// is not parallel, because it changes the environment.
func TestPerson(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "AzureCLICredential")
	const answer = `{"accessToken": "token-of-az", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800, "tokenType": "Bearer"}`
	script := "#!/bin/sh\necho '" + answer + "'\n"
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	var sent []string
	client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL.Host+" "+r.Header.Get("Authorization"))
		return nil, http.ErrServerClosed
	})}
	o := &azure.Opener{Client: client, WorkerIdentity: true, Person: true, Attempts: 1}
	s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity}}
	if err := o.FindIdentity(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	b, err := o.Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	if _, err := b.Stat(t.Context(), "k"); err == nil || strings.Contains(err.Error(), "token-of-az") {
		t.Errorf("got %v", err)
	}
	if len(sent) == 0 || sent[0] != "acct.blob.core.windows.net Bearer token-of-az" {
		t.Errorf("sent %q", sent)
	}

	elsewhere := s
	elsewhere.Endpoint = "https://blobs.example"
	var e *providers.Error
	if err := o.FindIdentity(t.Context(), elsewhere); !errors.As(err, &e) || e.Code != "WorkerIdentityEndpoint" {
		t.Errorf("another server: %v", err)
	}
	t.Setenv("PATH", "")
	nobody := &azure.Opener{Client: client, WorkerIdentity: true, Person: true}
	if err := nobody.FindIdentity(t.Context(), s); !errors.As(err, &e) || e.Code != "NoCredentials" || !strings.Contains(e.Fix, "az login") {
		t.Errorf("without az: %v", err)
	}
}
