package s3_test

import (
	"cmp"
	"fmt"
	"os"
	"testing"
)

// TestMain gives this process an identity, as a worker has one: that of the
// emulator's root account, which STS knows. No storage without assume-role or
// worker-identity may be helped by it.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           cmp.Or(os.Getenv("STEVEDORE_TEST_S3_ACCESS_KEY"), "AKIAWORKER"),
		"AWS_SECRET_ACCESS_KEY":       cmp.Or(os.Getenv("STEVEDORE_TEST_S3_SECRET_KEY"), "worker-secret"),
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_CA_BUNDLE":               "",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
