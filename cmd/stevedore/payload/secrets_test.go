package payload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// A secret that a storage refers to in a file is sealed too.
func TestSealerReadsFiles(t *testing.T) {
	t.Parallel()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("c4n4ry\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	binding := seal.Binding{Job: "j", Kind: "build-manifest"}
	s := Sealer{Key: key.Public(), Job: binding}
	out, err := s.Storage(tasks.Storage{Auth: tasks.Auth{KeyFile: secret(t, "file:"+path)}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := seal.NewRing(key).Open(binding, out.Auth.KeyFile.Sealed()); err != nil || got != "c4n4ry" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.Storage(tasks.Storage{Auth: tasks.Auth{KeyFile: secret(t, "file:/no/such/file")}}); err == nil || !strings.Contains(err.Error(), "/no/such/file") {
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
