package main

import (
	"fmt"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The jobs of the demo run on a server of every cloud. The credentials
// have only the rights that the documents of CVAT and FastLabel ask
// for.
func TestFourJobs(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	for name, arrange := range map[string]func(*testing.T) (tasks.Storage, settings.Settings){
		"s3": s3Connection, "gcs": gcsConnection,
		"azure SAS": sasConnection, "azure account key": accountKeyConnection,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, cfg := arrange(t)
			fill(t, cfg, store)
			runAll(t, cfg, store)
		})
	}
}

// The same with a role and an external ID, as FastLabel documents it.
// The test is not parallel, because the worker's own identity comes
// from the environment of the process.
func TestFourJobsThroughARole(t *testing.T) {
	skipInShort(t)
	server := servers.STS(t)
	name := server.Bucket(t)
	own := server.Lister(t, server.Bucket(t)) // has no right to the bucket of the role
	t.Setenv("AWS_ACCESS_KEY_ID", own.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", own.SecretAccessKey)
	role := server.Role(t, servers.Role{
		Principals: []string{own.AccessKeyID}, ExternalID: "workspace-1",
		Policy: fmt.Appendf(nil, `{"Version": "2012-10-17", "Statement": [{"Sid": "FastLabelS3Access", "Effect": "Allow",
			"Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucketVersions", "s3:ListBucket"],
			"Resource": ["arn:aws:s3:::%[1]s/*", "arn:aws:s3:::%[1]s"]}]}`, name),
	})
	store := tasks.Storage{
		Provider: "s3", Bucket: name, Region: "us-east-1", Endpoint: server.S3Server.Endpoint,
		Auth: tasks.Auth{Method: tasks.AuthAssumeRole, RoleARN: role, ExternalID: "workspace-1"},
	}
	cfg := configured(t, "STEVEDORE_STS_ENDPOINT="+server.Endpoint)
	fill(t, cfg, store)
	runAll(t, cfg, store)
}

func s3Connection(t *testing.T) (tasks.Storage, settings.Settings) {
	t.Helper()
	store, key := s3Bucket(t, servers.S3(t))
	store.Auth.SecretAccessKey = secretFile(t, key)
	return store, configured(t)
}

// gcsConnection makes a service account with the rights of Storage
// Object Viewer and Storage Object Creator. It cannot replace objects:
// that needs the right to delete them.
func gcsConnection(t *testing.T) (tasks.Storage, settings.Settings) {
	t.Helper()
	server := servers.GCS(t)
	account := server.Account(t, servers.GCSAccount{})
	name := server.Bucket(t, servers.GCSBucket{Grants: map[string][]string{
		account.Email: {"storage.objects.list", "storage.objects.get", "storage.objects.create"},
	}})
	return tasks.Storage{
		Provider: "gcs", Bucket: name, Endpoint: server.Endpoint,
		Auth: tasks.Auth{Method: tasks.AuthKeyFile, KeyFile: secretFile(t, account.JSON)},
	}, configured(t, "STEVEDORE_GCS_TOKEN_URL="+server.TokenURL)
}

func sasConnection(t *testing.T) (tasks.Storage, settings.Settings) {
	t.Helper()
	server := servers.Azure(t)
	return azureBucket(t, server, tasks.Auth{Method: tasks.AuthSAS, SASToken: secretFile(t, server.SAS())}), configured(t)
}

func accountKeyConnection(t *testing.T) (tasks.Storage, settings.Settings) {
	t.Helper()
	server := servers.Azure(t)
	return azureBucket(t, server, tasks.Auth{Method: tasks.AuthAccountKey, AccountKey: secretFile(t, server.Key)}), configured(t)
}

func azureBucket(t *testing.T, server servers.AzureServer, auth tasks.Auth) tasks.Storage {
	t.Helper()
	return tasks.Storage{
		Provider: "azure", Bucket: server.Container(t), Account: server.Account, Endpoint: server.Endpoint, Auth: auth,
	}
}
