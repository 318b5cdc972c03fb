package tasks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// eachSecret calls f with every secret that a value can hold. It
// fills the pointers that lead to one.
func eachSecret(v reflect.Value, f func(path string, s *tasks.Secret), path string) {
	if s, ok := v.Addr().Interface().(*tasks.Secret); ok {
		f(path, s)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		eachSecret(v.Elem(), f, path)
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue // time.Time has such fields
			}
			eachSecret(v.Field(i), f, path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			eachSecret(v.Index(i), f, path+"[]")
		}
	}
}

// secretsIn returns every secret of a job by its path. It may fill
// pointers of the job.
func secretsIn(j tasks.Job) map[string]tasks.Secret {
	found := map[string]tasks.Secret{}
	v := reflect.New(reflect.TypeOf(j))
	v.Elem().Set(reflect.ValueOf(j))
	eachSecret(v.Elem(), func(path string, s *tasks.Secret) { found[path] = *s }, "")
	return found
}

// full returns a job of a kind in which every secret is plain, and
// different from the others.
func full(t *testing.T, k tasks.Kind) tasks.Job {
	t.Helper()
	j, err := k.Decode([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.New(reflect.TypeOf(j))
	eachSecret(v.Elem(), func(path string, s *tasks.Secret) { *s = tasks.PlainSecret(canary + path) }, "")
	return v.Elem().Interface().(tasks.Job)
}

// Sealing finds every secret of every kind.
func TestMapSecretsSeesEverySecretOfEveryKind(t *testing.T) {
	t.Parallel()
	for _, k := range tasks.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			j := full(t, k)
			seen := 0
			mapped, err := tasks.MapSecrets(j, func(s tasks.Secret) (tasks.Secret, error) {
				seen++
				if !s.IsPlain() {
					t.Error("a secret was seen twice, or is not the job's")
				}
				return ref(t, "env:MAPPED"), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for path, s := range secretsIn(mapped) {
				if s.Reference() != "env:MAPPED" {
					t.Errorf("%s was not mapped", path)
				}
			}
			before := secretsIn(j)
			for path, s := range before {
				if !s.IsPlain() {
					t.Errorf("%s of the job itself was changed", path)
				}
			}
			if seen != len(before) || seen == 0 {
				t.Errorf("%d secrets seen, there are %d", seen, len(before))
			}
		})
	}
}

func TestMapSecretsEnds(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, k := range tasks.Kinds() {
		calls := 0
		j, err := tasks.MapSecrets(full(t, k), func(s tasks.Secret) (tasks.Secret, error) {
			calls++
			return s, boom
		})
		if !errors.Is(err, boom) || j != nil || calls != 1 {
			t.Errorf("%s: %v, %v after %d calls", k.Name, j, err, calls)
		}
	}
	if _, err := tasks.MapSecrets(tasks.BuildManifest{}, func(tasks.Secret) (tasks.Secret, error) { return tasks.Secret{}, boom }); err != nil {
		t.Errorf("a job without secrets: %v", err)
	}
	s := tasks.Storage{Auth: tasks.Auth{SASToken: tasks.PlainSecret(canary)}}
	out, err := s.MapSecrets(func(tasks.Secret) (tasks.Secret, error) { return ref(t, "env:A"), nil })
	if err != nil || out.Auth.SASToken.Reference() != "env:A" || !s.Auth.SASToken.IsPlain() {
		t.Errorf("a storage: %v, %v", out.Auth.SASToken.Reference(), err)
	}
}

// A plain secret is valid, and never leaves the process: not as JSON,
// not as text, not as part of another type.
func TestPlainSecretsStayInside(t *testing.T) {
	t.Parallel()
	s := tasks.PlainSecret(canary)
	j := tasks.BuildManifest{Source: tasks.Storage{Provider: "gcs", Bucket: "b", Auth: tasks.Auth{Method: "key-file", KeyFile: s}}}
	wantFaults(t, j)
	if data, err := json.Marshal(j); err == nil || !strings.Contains(err.Error(), "public key") || strings.Contains(err.Error()+string(data), canary) {
		t.Errorf("JSON: %s, %v", data, err)
	}
	private := struct {
		s    tasks.Secret
		auth *tasks.Auth
	}{s, &j.Source.Auth}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "s", s, "auth", j.Source.Auth, "job", j, "inside", private)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "s", s, "auth", j.Source.Auth, "job", j, "inside", private)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, s, &s, private, j.Source.Auth)
	}
	if text := out.String(); strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", canary)) {
		t.Errorf("shown: %s", text)
	}
	if !tasks.PlainSecret("").IsZero() || s.IsZero() || s.Reference() != "" || s.Sealed() != "" {
		t.Error("a plain secret has another form too")
	}
}

var binding = seal.Binding{Job: "job-1", Kind: "build-manifest"}

func newKey(t testing.TB) seal.PrivateKey {
	t.Helper()
	k, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedSecretsRoundTrip(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	s, err := tasks.PlainSecret(canary).Seal(k.Public(), binding)
	if err != nil || s.IsPlain() || s.Reference() != "" || strings.Contains(s.Sealed(), canary) {
		t.Fatalf("%q, %v", s.Sealed(), err)
	}
	if again, err := s.Seal(newKey(t).Public(), binding); err != nil || again != s {
		t.Errorf("sealed twice: %v", err)
	}
	if reference := ref(t, "env:A"); reference.Sealed() != "" {
		t.Error("a reference says it is sealed")
	} else if same, err := reference.Seal(k.Public(), binding); err != nil || same != reference {
		t.Errorf("a reference was sealed: %v", err)
	}
	data, err := json.Marshal(tasks.Auth{SASToken: s})
	var out tasks.Auth
	if err != nil || json.Unmarshal(data, &out) != nil || out.SASToken != s {
		t.Errorf("%s came back as %q", data, out.SASToken.Sealed())
	}
	if got, err := seal.NewRing(k).Open(binding, out.SASToken.Sealed()); err != nil || got != canary {
		t.Errorf("opened: %q, %v", got, err)
	}
	if parsed, err := tasks.SecretRef(s.Sealed()); err != nil || parsed != s {
		t.Errorf("SecretRef: %v", err)
	}
	if _, err := tasks.PlainSecret(canary).Seal(seal.PublicKey{}, binding); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("sealed without a key: %v", err)
	}
}

// Each secret of a job is sealed for the storage that holds it.
func TestSealSecrets(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	auth := tasks.Auth{Method: "access-key", AccessKeyID: "A", SecretAccessKey: tasks.PlainSecret(canary), SessionToken: ref(t, "env:A")}
	from := tasks.Storage{Provider: "s3", Bucket: "b", Endpoint: "https://a.example", Auth: auth}
	to := tasks.Storage{Provider: "s3", Bucket: "b", Endpoint: "https://b.example", Auth: auth}
	j := tasks.GenerateThumbnails{Source: from, Destination: &to, Terms: tasks.Terms{Tenant: "acme"}}
	sealed, err := tasks.SealSecrets(j, "job-1", k.Public())
	if err != nil {
		t.Fatal(err)
	}
	out := sealed.(tasks.GenerateThumbnails)
	bound := seal.Binding{Job: "job-1", Kind: "generate-thumbnails", Tenant: "acme"}
	for _, s := range []tasks.Storage{out.Source, *out.Destination} {
		bound.Destination = s.Destination()
		got, err := seal.NewRing(k).Open(bound, s.Auth.SecretAccessKey.Sealed())
		if err != nil || got != canary || s.Auth.SessionToken != auth.SessionToken {
			t.Errorf("%s: %q, %v", s.Endpoint, got, err)
		}
	}
	if _, err := seal.NewRing(k).Open(bound, out.Source.Auth.SecretAccessKey.Sealed()); !errors.Is(err, seal.ErrOtherUse) {
		t.Errorf("the secret of the source at the destination: %v", err)
	}
	if again, err := tasks.SealSecrets(sealed, "job-1", k.Public()); err != nil || encode(t, again) != encode(t, sealed) {
		t.Errorf("sealed again: %v", err)
	}
	if !j.Source.Auth.SecretAccessKey.IsPlain() || !to.Auth.SecretAccessKey.IsPlain() {
		t.Error("the caller's job was changed")
	}
}

func TestSamePayloads(t *testing.T) {
	t.Parallel()
	k, key := lookup(t, "build-manifest"), newKey(t).Public()
	payload := func(secret tasks.Secret, prefix string) []byte {
		secret, err := secret.Seal(key, binding)
		if err != nil {
			t.Fatal(err)
		}
		auth := tasks.Auth{Method: "key-file", KeyFile: secret}
		return []byte(encode(t, tasks.BuildManifest{Source: tasks.Storage{Provider: "gcs", Bucket: "b", Prefix: prefix, Auth: auth}}))
	}
	plain := tasks.PlainSecret(canary)
	for name, c := range map[string]struct {
		a, b []byte
		want bool
	}{
		"sealed twice":       {payload(plain, ""), payload(plain, ""), true},
		"reference":          {payload(ref(t, "env:A"), ""), payload(ref(t, "env:A"), ""), true},
		"order of fields":    {[]byte(`{"manifest":"m.jsonl","source":{"provider":"mem","bucket":"b"}}`), []byte(`{"source":{"bucket":"b","provider":"mem"},"manifest":"m.jsonl"}`), true},
		"no payloads at all": {[]byte("x"), []byte("x"), true},
		"another display name": {
			[]byte(`{"source":{"provider":"mem","bucket":"b","display_name":"old"}}`),
			[]byte(`{"source":{"provider":"mem","bucket":"b","display_name":"new","description":"d"}}`), true,
		},
		"another reference": {payload(ref(t, "env:A"), ""), payload(ref(t, "env:B"), ""), false},
		"sealed, reference": {payload(plain, ""), payload(ref(t, "env:A"), ""), false},
		"sealed, none":      {payload(plain, ""), payload(tasks.Secret{}, ""), false},
		"another prefix":    {payload(plain, "a/"), payload(plain, "b/"), false},
		"no payload":        {payload(plain, ""), []byte("x"), false},
		"a value in JSON":   {payload(plain, ""), []byte(`{"source":{"auth":{"key_file":"x"}}}`), false},
	} {
		if k.Same(c.a, c.b) != c.want || k.Same(c.b, c.a) != c.want {
			t.Errorf("%s: %v, want %v", name, !c.want, c.want)
		}
	}
}
