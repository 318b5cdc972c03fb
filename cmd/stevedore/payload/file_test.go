package payload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// endless is a reader without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestReadFile_IsBounded(t *testing.T) {
	t.Parallel()
	var in endless
	if _, err := ReadFile("-", &in, 1000); err == nil || !strings.Contains(err.Error(), "STEVEDORE_PAYLOAD_LIMIT") || in.read > 1<<16 {
		t.Errorf("after %d bytes: %v", in.read, err)
	}
	path := filepath.Join(t.TempDir(), "payload.json")
	if err := os.WriteFile(path, make([]byte, 4000), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadFile(path, nil, 1000); err != nil || len(data) != 4000 {
		t.Errorf("%d bytes with spaces, %v", len(data), err)
	}
	if _, err := ReadFile(path, nil, 999); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is too large: %v", err)
	}
}
