package zipbucket_test

import (
	"strings"
	"testing"

	"example.com/ownkind/zipbucket"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func open(t testing.TB, dir, name string) providers.Bucket {
	t.Helper()
	s := tasks.Storage{Provider: zipbucket.Provider, Bucket: name}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	b, err := zipbucket.Opener{Dir: dir}.Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The suite that every provider of Stevedore passes.
func TestProvider(t *testing.T) {
	t.Parallel()
	providertest.Run(t, newWritable)
}

func TestMissing(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir(), "photos")
	_, err := b.Stat(t.Context(), "k")
	if providers.KindOf(err) != providers.NotFound {
		t.Errorf("stat: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir(), "photos")
	_, err := b.Put(t.Context(), "k", strings.NewReader("x"), providers.WriteOptions{})
	if providers.KindOf(err) != providers.Denied {
		t.Errorf("put: %v", err)
	}
	if err := b.Delete(t.Context(), "k"); providers.KindOf(err) != providers.Denied {
		t.Errorf("delete: %v", err)
	}
}

// The name of a bucket cannot lead out of the directory.
func TestNamesStayInTheDirectory(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../photos", "/etc/photos", "a/b", `a\b`, ".."} {
		s := tasks.Storage{Provider: zipbucket.Provider, Bucket: name}
		_, err := zipbucket.Opener{Dir: t.TempDir()}.Open(t.Context(), s, providers.Secrets{})
		if providers.KindOf(err) != providers.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
