//go:build unix

package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Opening a pipe waits for its other end, and nothing can interrupt
// that. So a pipe that takes the place of a file, or of a directory,
// between the look and the opening must not be opened so.
func TestPipesInThePlaceOfFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(path string) error // what the pipe takes turns with
		use  func(t *testing.T, b providers.Bucket) error
	}{
		"File": {
			func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
			func(t *testing.T, b providers.Bucket) error {
				t.Helper()
				r, err := b.Open(t.Context(), "k", providers.ReadOptions{})
				if err == nil {
					_ = r.Close()
				}
				return err
			},
		},
		"Directory": {
			func(path string) error { return os.Mkdir(path, 0o700) },
			func(t *testing.T, b providers.Bucket) error {
				t.Helper()
				for _, err := range b.List(t.Context(), providers.ListOptions{}) {
					if err != nil {
						return err
					}
				}
				return nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			b := mustOpen(t, root, root)
			stop := swap(t, filepath.Join(root, "k"), c.make)
			defer stop()
			for range 3000 {
				done := make(chan error, 1)
				go func() { done <- c.use(t, b) }()
				select {
				case err := <-done:
					if err != nil && !errors.Is(err, providers.NotFound) {
						t.Fatal(err)
					}
				case <-time.After(30 * time.Second):
					t.Fatal("waits for the other end of a pipe")
				}
			}
		})
	}
}

// swap lets a pipe and something else take turns at a path, until stop
// is called.
func swap(t *testing.T, path string, other func(string) error) (stop func()) {
	t.Helper()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			default:
			}
			_ = os.Remove(path)
			_ = syscall.Mkfifo(path, 0o600)
			_ = os.Remove(path)
			_ = other(path)
		}
	}()
	return func() { close(end); <-ended }
}
