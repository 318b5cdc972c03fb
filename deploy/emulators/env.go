package main

import (
	"fmt"
	"os"
)

// writeEnv writes the export lines that a shell evaluates. The file
// appears complete: a shell that waits for it never reads a part of
// it.
func (e *emulators) writeEnv(path string) error {
	text := fmt.Sprintf(`export STEVEDORE_TEST_S3_ENDPOINT=%s
export STEVEDORE_TEST_S3_ACCESS_KEY=%s
export STEVEDORE_TEST_S3_SECRET_KEY=%s
export STEVEDORE_TEST_CONTROL=%s
export STEVEDORE_TEST_STS_ENDPOINT=%[4]s/sts
export STEVEDORE_TEST_GCS_ENDPOINT=%[5]s
export STEVEDORE_TEST_GCS_TOKEN_URL=%[6]s
`, e.s3.URL(), e.root.AccessKeyID, e.root.SecretAccessKey, e.control, e.gcs.URL(), e.gcs.TokenURL())

	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
