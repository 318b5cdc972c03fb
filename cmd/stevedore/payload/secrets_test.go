package payload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// A secret that a storage refers to in a file is sent too. References
// that the URL did not give stay.
func TestSecretsOfURLsAreSent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("c4n4ry\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	given, other := secret(t, "file:"+path), secret(t, "env:OTHER")
	storage := tasks.Storage{Auth: tasks.Auth{KeyFile: given, SASToken: other}}
	j := tasks.BuildManifest{Source: storage, Destination: &storage}
	urls := map[string]tasks.Storage{"source": {Auth: tasks.Auth{KeyFile: given}}}
	out, err := Secrets{Send: true}.fill(j, urls)
	if err != nil {
		t.Fatal(err)
	}
	source, destination := out.(tasks.BuildManifest).Source.Auth, out.(tasks.BuildManifest).Destination.Auth
	if !source.KeyFile.IsPlain() || source.SASToken != other || destination != storage.Auth || j.Source.Auth != storage.Auth {
		t.Errorf("%v, %v", out, j)
	}
	if same, err := (Secrets{}).fill(j, urls); err != nil || same.(tasks.BuildManifest).Source.Auth != storage.Auth {
		t.Errorf("nothing is to be sent: %v", err)
	}
	j.Source.Auth.KeyFile = secret(t, "file:/no/such/file")
	urls["source"] = j.Source
	if _, err := (Secrets{Send: true}).fill(j, urls); err == nil || !strings.Contains(err.Error(), "/no/such/file") {
		t.Errorf("a missing file: %v", err)
	}
}

func secret(t *testing.T, ref string) tasks.Secret {
	t.Helper()
	s, err := tasks.SecretRef(ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
