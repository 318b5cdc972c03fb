package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

const value = "c4n4ry/c4n4ry+c4n4ry="

var binding = seal.Binding{
	Job: "job-1", Kind: "build-manifest", Tenant: "acme",
	Destination: seal.Destination{Provider: "s3", Endpoint: "https://minio.example:9000", Bucket: "images"},
}

func newKey(t testing.TB) seal.PrivateKey {
	t.Helper()
	k, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sealed(t testing.TB, k seal.PrivateKey) string {
	t.Helper()
	text, err := seal.Seal(k.Public(), binding, value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	first, second := newKey(t), newKey(t)
	ring := seal.NewRing(first, second)
	for _, k := range []seal.PrivateKey{first, second} {
		text := sealed(t, k)
		if got, err := ring.Open(binding, text); err != nil || got != value {
			t.Errorf("%q, %v", got, err)
		}
		if id, err := seal.KeyID(text); err != nil || id != k.Public().ID() {
			t.Errorf("key ID %q, %v", id, err)
		}
		if strings.Contains(text, value) || text == sealed(t, k) {
			t.Errorf("sealed: %s", text)
		}
	}
}

// An HPKE library in Python has made these texts. Secrets that other
// languages have sealed must open.
func TestOpensWhatOthersSeal(t *testing.T) {
	t.Parallel()
	k, err := seal.ParsePrivateKey("stevedore-private-key:CH6C9_J1wV5bThghlnBi9pleC37cmbFZa9HlaZipTmc\n")
	if err != nil {
		t.Fatal(err)
	}
	if k.Public().String() != "stevedore-public-key:yGPSDOwRbuNzREBNtBCNdg7teC9MXk4sUulX6TH3alM" || k.Public().ID() != "813d8876ee574d4b" {
		t.Errorf("public key %s, %s", k.Public(), k.Public().ID())
	}
	const value = "鍵 hush/hush+hush="
	azure := seal.Binding{
		Job: "job-1", Kind: "build-manifest",
		Destination: seal.Destination{Provider: "azure", Account: "mystorage", Bucket: "images"},
	}
	for text, b := range map[string]seal.Binding{
		"sealed:813d8876ee574d4b:8Y7Gv36pjBv7k5WZ5q2iMPJ5kcTO2czryqbNjACSNCf_MKQVZlVQxIQs-Wz6uD9zFP9Rno0prBtDWmVJMzdYuOxM6A": binding,
		"sealed:813d8876ee574d4b:WM7NhStXeOv4_b7QCYJlBka-ftuNrmSerbYYtqrcEhK1gSdawsUM6TvFrubLCu4mVL_6X8beunmUHmCXi0pqXxx5jg": azure,
	} {
		if got, err := seal.NewRing(k).Open(b, text); err != nil || got != value {
			t.Errorf("%+v: %q, %v", b, got, err)
		}
	}

	// This one is of version 1, which was bound to a job and no bucket.
	const old = "sealed:813d8876ee574d4b:mzUR2kU3OHaL-YJZsdwPgTRNnIhP7F63-ussfXFG9ANvci0oI9xeketsZi7NsxZuqz_g6ic-J1acTb2VbjH_9HEKdQ"
	for want, b := range map[error]seal.Binding{seal.ErrOldVersion: binding, seal.ErrOtherUse: {Job: "job-2", Kind: "build-manifest"}} {
		if got, err := seal.NewRing(k).Open(b, old); got != "" || !errors.Is(err, want) {
			t.Errorf("version 1 for %s: %q, %v", b.Job, got, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	mine, other := newKey(t), newKey(t)
	ring, text := seal.NewRing(mine), sealed(t, mine)
	flipped := []byte(text)
	flipped[len(flipped)-5] ^= 1 // if that is no letter of base64, the form is wrong
	for name, c := range map[string]struct {
		ring    seal.Ring
		binding seal.Binding
		text    string
		want    error
	}{
		"other key's": {ring, binding, strings.Replace(sealed(t, other), other.Public().ID(), mine.Public().ID(), 1), seal.ErrOtherUse},
		"cut short":   {ring, binding, text[:len(text)-8], seal.ErrOtherUse},
		"no form":     {ring, binding, "hush", seal.ErrFormat},
		"no key":      {ring, binding, "sealed:" + strings.Repeat("0", 16) + ":AA", seal.ErrFormat},
	} {
		got, err := c.ring.Open(c.binding, c.text)
		if got != "" || !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := ring.Open(binding, string(flipped)); err == nil {
		t.Errorf("a changed secret opens as %q", got)
	}
	for name, change := range map[string]func(*seal.Binding){
		"job":      func(b *seal.Binding) { b.Job = "job-2" },
		"kind":     func(b *seal.Binding) { b.Kind = "verify-connection" },
		"tenant":   func(b *seal.Binding) { b.Tenant = "other" },
		"nobody's": func(b *seal.Binding) { b.Tenant = "" },
		"provider": func(b *seal.Binding) { b.Provider = "gcs" },
		"endpoint": func(b *seal.Binding) { b.Endpoint = "https://evil.example" },
		"scheme":   func(b *seal.Binding) { b.Endpoint = "http://minio.example:9000" },
		"cloud":    func(b *seal.Binding) { b.Endpoint = "" },
		"account":  func(b *seal.Binding) { b.Account = "evil" },
		"bucket":   func(b *seal.Binding) { b.Bucket = "evil" },
		"border":   func(b *seal.Binding) { b.Job, b.Kind = "job-1b", "uild-manifest" },
		"place":    func(b *seal.Binding) { b.Endpoint, b.Account = "", b.Endpoint },
	} {
		moved := binding
		change(&moved)
		if got, err := ring.Open(moved, text); got != "" || !errors.Is(err, seal.ErrOtherUse) {
			t.Errorf("another %s: %q, %v", name, got, err)
		}
	}
	withZero := binding
	withZero.Endpoint = "https://a\x00b"
	for _, b := range []seal.Binding{{}, {Job: "j"}, {Kind: "k"}, {Job: "j\x00k", Kind: "k"}, withZero} {
		if _, err := ring.Open(b, text); err == nil || errors.Is(err, seal.ErrOtherUse) {
			t.Errorf("%q: %v", b, err)
		}
		if _, err := seal.Seal(mine.Public(), b, value); err == nil || strings.Contains(err.Error(), value) {
			t.Errorf("%q: %v", b, err)
		}
	}
}

func TestUnknownKeyIsNamed(t *testing.T) {
	t.Parallel()
	a, b, mine := newKey(t), newKey(t), newKey(t)
	_, err := seal.NewRing(a, b).Open(binding, sealed(t, mine))
	var unknown *seal.UnknownKeyError
	if !errors.As(err, &unknown) || unknown.ID != mine.Public().ID() || len(unknown.Have) != 2 || !slices.IsSorted(unknown.Have) ||
		!strings.Contains(err.Error(), unknown.ID) || !strings.Contains(err.Error(), a.Public().ID()) {
		t.Errorf("%v", err)
	}
	if _, err := (seal.Ring{}).Open(binding, sealed(t, mine)); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "none") {
		t.Errorf("an empty ring: %v", err)
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	k := newKey(t).Public()
	for name, err := range map[string]error{
		"no key":    second(seal.Seal(seal.PublicKey{}, binding, value)),
		"nothing":   second(seal.Seal(k, binding, "")),
		"too large": second(seal.Seal(k, binding, strings.Repeat(value, 4000))),
	} {
		if err == nil || strings.Contains(err.Error(), value) {
			t.Errorf("%s: %v", name, err)
		}
	}
	zero, err := seal.ParsePublicKey("stevedore-public-key:" + strings.Repeat("A", 43)) // this point makes all shared secrets equal
	if err == nil {
		_, err = seal.Seal(zero, binding, value)
	}
	if err == nil {
		t.Error("sealed to a key that everybody can open")
	}
}

func second(_ string, err error) error { return err }

func TestKeysRoundTrip(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.ParsePrivateKey(" " + text + "\n")
	if err != nil || again.Public().String() != k.Public().String() || !seal.IsPrivateKey(text) || seal.IsPrivateKey(k.Public().String()) {
		t.Errorf("%v", err)
	}
	public, err := seal.ParsePublicKey(k.Public().String())
	if err != nil || public.ID() != k.Public().ID() || public.IsZero() {
		t.Errorf("%v, %v", public, err)
	}
	if _, err := (seal.PrivateKey{}).Text(); err == nil || (seal.PrivateKey{}).Public().ID() != "" || (seal.PublicKey{}).String() != "" {
		t.Error("the zero key is a key")
	}
}

// People confuse the keys. The error must not show a private key.
func TestParseRefusesQuietly(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(text, ":")
	public := k.Public().String()
	for _, bad := range []string{"", body, text, "stevedore-public-key:", "stevedore-public-key:" + body[:20], public + "A"} {
		if _, err := seal.ParsePublicKey(bad); err == nil || strings.Contains(err.Error(), body[:20]) {
			t.Errorf("public %q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", body, public, "stevedore-private-key:", text[:40], text + "A"} {
		if _, err := seal.ParsePrivateKey(bad); err == nil || strings.Contains(err.Error(), body[:15]) {
			t.Errorf("private %q: %v", bad, err)
		}
	}
}

func TestNothingShowsAPrivateKey(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(text, ":")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", k, "ring", seal.NewRing(k))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "key", k, "ring", seal.NewRing(k))
	shown := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb+verb+verb, k, &k, seal.NewRing(k))
	}
	if strings.Contains(shown, body) || !strings.Contains(shown, "[redacted]") {
		t.Errorf("shown: %s", shown)
	}
}

func FuzzOpen(f *testing.F) {
	k := newKey(f)
	ring, good := seal.NewRing(k), sealed(f, k)
	for _, text := range []string{good, "", "sealed:", "sealed::", "sealed:813d8876ee574d4b:AAAA", good + "=", good + "\n", strings.ToUpper(good)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := seal.KeyID(text)
		if err != nil && !errors.Is(err, seal.ErrFormat) {
			t.Errorf("KeyID: %v", err)
		}
		if err == nil && !strings.HasPrefix(text, "sealed:"+id+":") {
			t.Errorf("%q has the key ID %q", text, id)
		}
		got, err := ring.Open(binding, text)
		if err == nil && (text != good || got != value) {
			t.Errorf("%q opens as %q", text, got)
		}
		if _, again := ring.Open(binding, text); (err == nil) != (again == nil) {
			t.Errorf("%q opens only sometimes", text)
		}
	})
}
