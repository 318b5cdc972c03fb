package providers_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// The workers' own key is often in the directory whose secrets
// payloads may name.
func TestPrivateKeysAreNotResolved(t *testing.T) {
	t.Parallel()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.Text()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "stevedore.key")
	if err := os.WriteFile(path, []byte("# the key\n"+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := tasks.SecretRef("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []providers.Secrets{{Any: true}, {Allow: []string{"file:" + filepath.Dir(path) + "/*"}}} {
		var e *providers.Error
		if got, err := s.Resolve(ref); got != "" || !errors.As(err, &e) || e.Code != "SecretNotAllowed" || strings.Contains(err.Error(), text) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestSealedSecrets(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ryc4n4ryc4n4ry"
	var keys [3]seal.PrivateKey
	for i := range keys {
		k, err := seal.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = k
	}
	storage := tasks.Storage{Provider: "s3", Endpoint: "https://minio.example", Bucket: "b"}
	elsewhere := storage
	elsewhere.Endpoint = "https://evil.example"
	sealed := func(k seal.PrivateKey, value string) tasks.Secret {
		s, err := tasks.PlainSecret(value).Seal(k.Public(), seal.Binding{
			Job: "j", Kind: "build-manifest", Tenant: "acme", Destination: storage.Destination(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	worker := providers.Secrets{Keys: seal.NewRing(keys[0], keys[1])}
	owner := func(id, kind, tenant string) providers.Owner {
		return providers.Owner{Job: id, Kind: kind, Tenant: tenant}
	}
	own := owner("j", "build-manifest", "acme")
	bound := worker.For(own).At(storage)
	for name, c := range map[string]struct {
		secrets providers.Secrets
		secret  tasks.Secret
		code    string
		says    string
	}{
		"first key":      {bound, sealed(keys[0], canary), "", ""},
		"second key":     {bound, sealed(keys[1], " "+canary+"\n"), "", ""},
		"unknown key":    {bound, sealed(keys[2], canary), "SecretKeyUnknown", keys[2].Public().ID()},
		"keys there are": {bound, sealed(keys[2], canary), "SecretKeyUnknown", keys[1].Public().ID()},
		"no keys":        {providers.Secrets{Any: true}.For(own).At(storage), sealed(keys[0], canary), "SecretKeyUnknown", "none"},
		"another job":    {worker.For(owner("k", "build-manifest", "acme")).At(storage), sealed(keys[0], canary), "SecretNotOpened", "another job"},
		"another kind":   {worker.For(owner("j", "verify-connection", "acme")).At(storage), sealed(keys[0], canary), "SecretNotOpened", "another job"},
		"another tenant": {worker.For(owner("j", "build-manifest", "evil")).At(storage), sealed(keys[0], canary), "SecretNotOpened", "tenant"},
		"another server": {worker.For(own).At(elsewhere), sealed(keys[0], canary), "SecretNotOpened", "endpoint"},
		"no storage":     {worker.For(own), sealed(keys[0], canary), "SecretNotOpened", "endpoint"},
		"no job":         {worker, sealed(keys[0], canary), "SecretNotOpened", keys[0].Public().ID()},
		"white space":    {bound, sealed(keys[0], " \n"), "SecretNotOpened", "empty"},
		"plain":          {bound, tasks.PlainSecret(canary), "SecretNotSealed", "neither"},
	} {
		got, err := c.secrets.Resolve(c.secret)
		var e *providers.Error
		switch {
		case c.code == "" && (err != nil || got != canary):
			t.Errorf("%s: %q, %v", name, got, err)
		case c.code != "" && (!errors.As(err, &e) || e.Code != c.code || e.Kind != providers.Invalid || e.Fix == "" || got != ""):
			t.Errorf("%s: got %q, %v; want %s", name, got, err, c.code)
		case c.code != "" && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error()+e.Fix, canary)):
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
