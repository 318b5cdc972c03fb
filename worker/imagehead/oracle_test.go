package imagehead

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stevedore-jobs/stevedore/deploy/oracles"
)

//go:embed testdata/pillow.py
var pillowProgram string

// oracleCase is what Pillow says about a file, as CVAT sees it.
type oracleCase struct {
	Name          string
	Width, Height int    // as CVAT displays it
	Error         string // why Pillow does not open it
}

// Every format that Pillow writes, in each of its modes, with each
// orientation, has the size that Pillow shows after exif_transpose.
func TestOracleHeads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := bytes.Split(bytes.TrimSpace(oracles.Run(t, pillowProgram, nil, dir)), []byte("\n"))
	if len(lines) < 500 {
		t.Errorf("only %d files", len(lines))
	}
	compareWithPillow(t, lines)
}

// corpusVariable names a folder with more images to compare.
const corpusVariable = "STEVEDORE_TEST_IMAGES"

// The heads of the other tests, and the images of a folder, have the
// size that Pillow shows.
func TestOracleCorpus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range headCases(t) {
		if err := os.WriteFile(filepath.Join(dir, c.Name), c.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dirs := []string{dir}
	if more := os.Getenv(corpusVariable); more != "" {
		dirs = append(dirs, more)
	}
	for _, dir := range dirs {
		out := oracles.Run(t, pillowProgram, nil, dir, "corpus")
		compareWithPillow(t, bytes.Split(bytes.TrimSpace(out), []byte("\n")))
	}
}

func compareWithPillow(t *testing.T, lines [][]byte) {
	t.Helper()
	for _, line := range lines {
		var want oracleCase
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		data, err := os.ReadFile(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(want.Name)
		for _, first := range []int64{1, FirstRead(name), int64(len(data))} {
			h, err := Read(func(off, n int64) ([]byte, error) { return data[off : off+n], nil }, int64(len(data)), first)
			width, height := h.Display()
			switch opened := err == nil && h.Refusal == ""; {
			case opened != (want.Error == ""):
				t.Errorf("%s: %+v, %v; Pillow says %q", name, h, err, want.Error)
			case opened && (width != want.Width || height != want.Height):
				t.Errorf("%s, first read %d: %d x %d; Pillow says %d x %d (%+v)", name, first, width, height, want.Width, want.Height, h)
			}
		}
	}
}
