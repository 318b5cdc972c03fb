package main

import (
	"fmt"
	"os"
)

// writeEnv writes the lines that a shell evaluates, all at once, so that
// whoever waits for the file sees it whole.
func writeEnv(path string, g *gateway, c *control) error {
	text := fmt.Sprintf(`export STEVEDORE_TEST_S3_ENDPOINT=%s
export STEVEDORE_TEST_S3_ACCESS_KEY=%s
export STEVEDORE_TEST_S3_SECRET_KEY=%s
export STEVEDORE_TEST_CONTROL=%s
export STEVEDORE_TEST_STS_ENDPOINT=%[4]s/sts
`, c.gate.url, g.access, g.secret, c.url) + c.env
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
