package azure_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// developmentKey is the published key of Azurite's development account.
// Any key of this form would do.
const developmentKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

// unverified makes SAS tokens for servers that do not check their
// signature.
func unverified() servers.AzureServer {
	return servers.AzureServer{Account: "devstoreaccount1", Key: developmentKey}
}

// secretFile writes a secret to a file, and returns a reference to it and
// the secrets that allow that.
func secretFile(t testing.TB, value string) (tasks.Secret, providers.Secrets) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, err := tasks.SecretRef("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return secret, providers.Secrets{Allow: []string{"file:" + path}}
}

// storage returns a storage with a method whose secret is in a file.
func storage(t testing.TB, method, endpoint, bucket, value string) (tasks.Storage, providers.Secrets) {
	t.Helper()
	s := tasks.Storage{Provider: "azure", Bucket: bucket, Endpoint: endpoint, Account: "devstoreaccount1", Auth: tasks.Auth{Method: method}}
	secret, secrets := secretFile(t, value)
	switch method {
	case tasks.AuthSAS:
		s.Auth.SASToken = secret
	case tasks.AuthAccountKey:
		s.Auth.AccountKey = secret
	case tasks.AuthConnectionString:
		s.Auth.ConnectionString = secret
	}
	return s, secrets
}

func guarded(t testing.TB) *http.Client {
	t.Helper()
	allow, err := egress.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	client := egress.Policy{Allow: allow}.Client()
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func open(t testing.TB, method, endpoint, bucket, value string) providers.Bucket {
	t.Helper()
	s, secrets := storage(t, method, endpoint, bucket, value)
	return openStorage(t, s, secrets)
}

// openOnce opens a bucket that makes every request once, for servers that
// fail requests.
func openOnce(t testing.TB, endpoint, sas string) providers.Bucket {
	t.Helper()
	s, secrets := storage(t, tasks.AuthSAS, endpoint, "c", sas)
	b, err := (&azure.Opener{Client: guarded(t), Attempts: 1}).Open(t.Context(), s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openStorage(t testing.TB, s tasks.Storage, secrets providers.Secrets) providers.Bucket {
	t.Helper()
	if err := (tasks.VerifyConnection{Storage: s}).Validate(); err != nil {
		t.Fatal(err)
	}
	b, err := (&azure.Opener{Client: guarded(t), Attempts: 2}).Open(context.Background(), s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket(t *testing.T) {
	t.Parallel()
	server := servers.Azure(t)
	for name, method := range map[string]string{"AccountKey": tasks.AuthAccountKey, "SAS": tasks.AuthSAS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := map[string]string{tasks.AuthAccountKey: server.Key, tasks.AuthSAS: server.SAS("sp", "rwld")}[method]
			providertest.Run(t, func(t testing.TB) providers.Bucket {
				t.Helper()
				return open(t, method, server.Endpoint, server.Container(t), secret)
			})
			providertest.RunMissing(t, open(t, method, server.Endpoint, "no-such-container", secret))
		})
	}
}
