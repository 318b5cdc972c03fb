package gcs_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// storage returns a storage whose key file is a secret in a file, and the
// secrets that allow that file.
func storage(t testing.TB, endpoint, bucket, keyFile string) (tasks.Storage, providers.Secrets) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, []byte(keyFile), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, err := tasks.SecretRef("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return tasks.Storage{
		Provider: "gcs", Bucket: bucket, Endpoint: endpoint, Auth: tasks.Auth{Method: tasks.AuthKeyFile, KeyFile: secret},
	}, providers.Secrets{Allow: []string{"file:" + path}}
}

func anonymous(endpoint, bucket string) tasks.Storage {
	return tasks.Storage{Provider: "gcs", Bucket: bucket, Endpoint: endpoint, Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
}

// guarded returns the client of a worker whose operator allows loopback
// addresses.
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

// open opens a storage that is valid in a payload.
func open(t testing.TB, o *gcs.Opener, s tasks.Storage, secrets providers.Secrets) providers.Bucket {
	t.Helper()
	if err := (tasks.VerifyConnection{Storage: s}).Validate(); err != nil {
		t.Fatal(err)
	}
	b, err := o.Open(context.Background(), s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openAs opens a bucket of the emulator with a key.
func openAs(t testing.TB, server servers.GCSServer, bucket string, key servers.GCSKey) providers.Bucket {
	t.Helper()
	s, secrets := storage(t, server.Endpoint, bucket, key.JSON)
	return open(t, opener(t, server), s, secrets)
}

func opener(t testing.TB, server servers.GCSServer) *gcs.Opener {
	t.Helper()
	return &gcs.Opener{Client: guarded(t), TokenURL: server.TokenURL, Attempts: 2}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	root := server.Account(t, servers.GCSAccount{Root: true})
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		return openAs(t, server, server.Bucket(t, servers.GCSBucket{}), root)
	})
	providertest.RunThrough(t, openAs(t, server, server.Bucket(t, servers.GCSBucket{}), root))
	providertest.RunMissing(t, openAs(t, server, "no-such-bucket-here", root))
}

// The rights to list, read, create and delete are enough for all
// operations.
func TestBucketWithoutRoot(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	key := server.Account(t, servers.GCSAccount{})
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		grants := map[string][]string{key.Email: {"storage.objects.list", "storage.objects.get", "storage.objects.create", "storage.objects.delete"}}
		return openAs(t, server, server.Bucket(t, servers.GCSBucket{Grants: grants}), key)
	})
}
