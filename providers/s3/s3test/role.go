package s3test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Main runs the tests of a package in a process that has an identity at
// AWS, as a worker has one. It is the root account of the emulator,
// which its STS knows. No storage without assume-role or
// worker-identity may use it.
func Main(m *testing.M) int {
	keyID := os.Getenv("STEVEDORE_TEST_S3_ACCESS_KEY")
	secret := os.Getenv("STEVEDORE_TEST_S3_SECRET_KEY")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           cmp.Or(keyID, "AKIAWORKER"),
		"AWS_SECRET_ACCESS_KEY":       cmp.Or(secret, "worker-secret"),
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_CA_BUNDLE":               "",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// RoleExternalID is required by the roles of RoleStorage.
const RoleExternalID = "workspace-7f3a"

// RoleStorage makes a bucket with the object "dir/k" on the emulator,
// and a role with the rights that the policy generator grants for the
// prefix "dir/". The returned storage is used with that role. change
// may alter the role before it is made; it may be nil.
func RoleStorage(
	t testing.TB, server servers.STSServer, change func(*servers.Role),
) tasks.Storage {
	t.Helper()
	s := tasks.Storage{
		Provider: "s3", Bucket: server.Bucket(t), Prefix: "dir/",
		Endpoint: server.S3Server.Endpoint,
	}
	uses := policy.Uses{Read: true, Write: true, Versions: true}
	r := servers.Role{
		Principals: []string{os.Getenv("AWS_ACCESS_KEY_ID")},
		ExternalID: RoleExternalID,
		Policy:     json.RawMessage(policy.S3Identity(s, uses)),
	}
	if change != nil {
		change(&r)
	}
	s.Auth = tasks.Auth{
		Method: tasks.AuthAssumeRole, RoleARN: server.Role(t, r), ExternalID: RoleExternalID,
	}
	Put(t, OpenAt(t, server.S3Server.Endpoint, s.Bucket, server.Root), "dir/k", "x")
	return s
}

// OpenRole opens a storage of RoleStorage.
func OpenRole(
	t testing.TB, server servers.STSServer, s tasks.Storage,
) providers.Bucket {
	t.Helper()
	return Open(t, &s3.Opener{STSEndpoint: server.Endpoint}, s, providers.Secrets{})
}
