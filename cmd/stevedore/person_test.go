package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
)

// nobody removes all credentials from the environment of the process,
// and returns a home directory without any.
func nobody(t *testing.T) (home string) {
	t.Helper()
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "AZURE_") || strings.HasPrefix(name, "GOOGLE_") {
			t.Setenv(name, "")
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("GCE_METADATA_HOST", "127.0.0.1:1")
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "AzureCLICredential")
	return home
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The person's profile gives credentials, region and endpoint. These
// tests are not parallel, because they change the environment.
func TestRunWithAProfile(t *testing.T) {
	skipInShort(t)
	server := servers.S3(t)
	store, key := s3Bucket(t, server)
	home := nobody(t)
	write(t, filepath.Join(home, "config"), fmt.Sprintf("[profile acme]\nregion = us-east-1\nendpoint_url = %s\n", server.Endpoint))
	write(t, filepath.Join(home, "credentials"), fmt.Sprintf("[acme]\naws_access_key_id = %s\naws_secret_access_key = %s\n", store.Auth.AccessKeyID, key))
	source := "s3://" + store.Bucket + "/"

	verify := []string{"run", "verify-connection", "--set", "need.write=true", "--source", source}
	out, _ := want(t.Context(), t, cli.ExitOK, os.Environ(), append(verify, "--profile", "acme")...)
	if !strings.Contains(out, "credentials") {
		t.Errorf("%s", out)
	}
	other := append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAOTHER", "AWS_SECRET_ACCESS_KEY=other")
	want(t.Context(), t, cli.ExitOK, other, append(verify, "--profile", "acme")...)

	t.Setenv("AWS_PROFILE", "acme")
	want(t.Context(), t, cli.ExitOK, os.Environ(), verify...)
	_, errs := want(t.Context(), t, cli.ExitInvalid, os.Environ(), append(verify, "--profile", "acne")...)
	if !strings.Contains(errs, "there is no profile acne in "+home) {
		t.Errorf("%s", errs)
	}
}

// Google's application default credentials are found where gcloud puts
// them.
func TestRunWithApplicationDefaultCredentials(t *testing.T) {
	skipInShort(t)
	server := servers.GCS(t)
	account := server.Account(t, servers.GCSAccount{})
	name := server.Bucket(t, servers.GCSBucket{Grants: map[string][]string{account.Email: {"storage.objects.list"}}})
	home := nobody(t)
	write(t, filepath.Join(home, ".config/gcloud/application_default_credentials.json"),
		strings.ReplaceAll(account.JSON, "https://oauth2.googleapis.com/token", server.TokenURL))
	want(t.Context(), t, cli.ExitOK, os.Environ(), "run", "verify-connection", "--source", "gs://"+name, "--endpoint", server.Endpoint)
}

// Without credentials nothing is done, and the error names what was
// looked for.
func TestNoCredentials(t *testing.T) {
	home, path := nobody(t), os.Getenv("PATH")
	t.Setenv("PATH", "") // without az
	for source, words := range map[string][]string{
		"s3://b/x":      {"s3://b/x: no credentials found", "AWS_ACCESS_KEY_ID", "profile default", home + "/credentials", "aws sso login", "--profile", "--anonymous"},
		"gs://b":        {"gs://b/: no credentials found", "GOOGLE_APPLICATION_CREDENTIALS", "gcloud auth application-default login", "--anonymous"},
		"az://acct/b/x": {"az://acct/b/x: no credentials found", "AZURE_STORAGE_", "az login", "--anonymous"},
	} {
		_, errs := want(t.Context(), t, cli.ExitInvalid, os.Environ(), "run", "build-manifest", "--source", source)
		for _, word := range words {
			if !strings.Contains(errs, word) {
				t.Errorf("%s: %q is not in\n%s", source, word, errs)
			}
		}
		_, errs = want(t.Context(), t, cli.ExitInvalid, os.Environ(), "enqueue", "build-manifest", "--source", source)
		if !strings.Contains(errs, "source: no credentials found: a job on the queue carries its own") {
			t.Errorf("enqueue of %s: %s", source, errs)
		}
	}
	t.Setenv("PATH", path)
	write(t, filepath.Join(home, "config"), "[default]\ncredential_process = /no/such/program\n")
	_, errs := want(t.Context(), t, cli.ExitInvalid, os.Environ(), "run", "build-manifest", "--source", "s3://b")
	if !strings.Contains(errs, "cannot be used") || !strings.Contains(errs, "credential_process") {
		t.Errorf("a broken profile: %s", errs)
	}
}

// A worker never takes the credentials of the person who operates it.
func TestWorkersHaveNoPerson(t *testing.T) {
	t.Parallel()
	a := allowed(configured(t))
	openers, err := registry(a, network.New(a.egress))
	if err != nil {
		t.Fatal(err)
	}
	if openers["s3"].(*s3.Opener).Person || openers["gcs"].(*gcs.Opener).Person || openers["azure"].(*azure.Opener).Person || a.mayUse("s3") || a.profile != "" {
		t.Error("a worker's openers look for a person's credentials")
	}
}
