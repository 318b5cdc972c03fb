//go:build unix

package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/file"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func open(t testing.TB, root, bucket string) (providers.Bucket, error) {
	t.Helper()
	o, err := file.New(root)
	if err != nil {
		t.Fatal(err)
	}
	return o.Open(context.Background(), tasks.Storage{Provider: "file", Bucket: bucket}, providers.Secrets{})
}

func mustOpen(t testing.TB, root, bucket string) providers.Bucket {
	t.Helper()
	b, err := open(t, root, bucket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestBucket(t *testing.T) {
	t.Parallel()
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		dir := t.TempDir()
		t.Cleanup(func() { wantNoLeftovers(t, dir) })
		return mustOpen(t, dir, dir)
	})
	root := t.TempDir()
	providertest.RunMissing(t, mustOpen(t, root, filepath.Join(root, "nowhere")))
	providertest.RunThrough(t, mustOpen(t, root, root))
}

// A directory is always read as a whole, so several streams would
// read it several times.
func TestListIsNeverDirect(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, err := range mustOpen(t, root, root).List(t.Context(), providers.ListOptions{After: "k", Direct: true}) {
		if !errors.Is(err, providers.Invalid) {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("no error")
}

// wantNoLeftovers checks that no unfinished file is left.
func wantNoLeftovers(t testing.TB, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".stevedore-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	root, other := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for bucket, allowed := range map[string]bool{
		root: true, root + "/": true, filepath.Join(root, "sub"): true, root + "/sub/../sub": true,
		other: false, root + "x": false, root + "/../" + filepath.Base(other): false, "/": false, root + "/..": false,
	} {
		b, err := open(t, root, bucket)
		if !allowed {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.Denied || !strings.Contains(e.Fix, "the setting file-roots") {
				t.Errorf("%s: got %v", bucket, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", bucket, err)
			continue
		}
		_ = b.Close()
	}
	if _, err := file.New("relative"); err == nil {
		t.Error("a relative root was accepted")
	}
	none, err := file.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Open(t.Context(), tasks.Storage{Bucket: root}, providers.Secrets{}); providers.KindOf(err) != providers.Denied {
		t.Errorf("without roots: %v", err)
	}
}

func TestConfined(t *testing.T) {
	t.Parallel()
	root, outside := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	for _, err := range []error{
		os.WriteFile(secret, []byte("secret"), 0o600),
		os.Symlink(secret, filepath.Join(root, "link")),
		os.Symlink(outside, filepath.Join(root, "dir")),
		os.WriteFile(filepath.Join(root, "real"), []byte("x"), 0o600),
		os.Symlink("real", filepath.Join(root, "inner")),
		syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b := mustOpen(t, root, root)
	for _, key := range []string{
		"link", "dir/secret", "../" + filepath.Base(outside) + "/secret", "/etc/passwd",
		"pipe", "inner", ".", "", "a//b", "a/../real", "nul\x00",
	} {
		if r, err := b.Open(t.Context(), key, providers.ReadOptions{}); err == nil {
			_ = r.Close()
			t.Errorf("%q was read", key)
		}
		if _, err := b.Stat(t.Context(), key); err == nil {
			t.Errorf("stat of %q", key)
		}
	}
	if _, err := b.Put(t.Context(), "dir/new", strings.NewReader("x"), providers.WriteOptions{}); err == nil {
		t.Error("wrote through a link that leads out")
	}
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil || o.Key != "real" {
			t.Errorf("listed %q, %v", o.Key, err)
		}
	}
	if through := mustOpen(t, root, filepath.Join(root, "dir")); providers.Probe(t.Context(), through, tasks.Need{})[0].Status != tasks.CheckFail {
		t.Error("a bucket behind a link that leads out was opened")
	}
}

func TestPathClash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := mustOpen(t, dir, dir)
	put := func(key string) error {
		_, err := b.Put(t.Context(), key, strings.NewReader("x"), providers.WriteOptions{})
		return err
	}
	if err := put("a/b"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "a/b/c", strings.Repeat("k", 300), ".stevedore-unfinished-x"} {
		if err := put(key); providers.KindOf(err) != providers.Invalid {
			t.Errorf("%.40q: %v, want invalid", key, err)
		}
	}
	wantNoLeftovers(t, dir)
}

func TestProbe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := mustOpen(t, dir, dir)
	want := func(statuses ...tasks.CheckStatus) {
		t.Helper()
		for i, c := range providers.Probe(t.Context(), b, tasks.Need{Read: true, Write: true}) {
			if c.Status != statuses[i] {
				t.Errorf("%s: %+v, want %s", c.ID, c, statuses[i])
			}
		}
	}
	want(tasks.CheckOK, tasks.CheckUnknown, tasks.CheckOK)
	if err := os.WriteFile(filepath.Join(dir, "k"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(tasks.CheckOK, tasks.CheckOK, tasks.CheckOK)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the probe left %v, %v", entries, err)
	}
	b = mustOpen(t, dir, filepath.Join(dir, "missing"))
	want(tasks.CheckFail, tasks.CheckSkipped, tasks.CheckSkipped)
}
