package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// manifestStart is how much of a manifest is looked at: both header lines and
// a first entry, whose name alone may take 12 KiB when it is all escapes.
const manifestStart = 16 << 10

// manifest looks at the start of one manifest.
func manifest(ctx context.Context, b providers.Bucket, key string) tasks.Check {
	start, whole, err := begin(ctx, b, key)
	if err != nil {
		c := failure(checkManifests, err)
		if errors.Is(err, providers.NotFound) {
			c.Fix = "Build it with build-manifest, or take " + key + " out of the storage's manifests."
		}
		return c
	}
	if err := inspect(start, whole); err != nil {
		return tasks.Check{
			ID: checkManifests, Status: tasks.CheckFail, Code: "InvalidManifest", Evidence: key + ": " + err.Error(),
			Fix: "Build it again with build-manifest: CVAT would refuse it.",
		}
	}
	return tasks.Check{ID: checkManifests, Status: tasks.CheckOK, Evidence: key + ": a manifest that CVAT takes, as far as its start tells"}
}

// begin reads the start of an object and tells whether that is the whole of
// it.
func begin(ctx context.Context, b providers.Bucket, key string) ([]byte, bool, error) {
	r, err := b.Open(ctx, key, providers.ReadOptions{Length: manifestStart})
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = r.Close() }()
	start, err := io.ReadAll(io.LimitReader(r, manifestStart))
	return start, int64(len(start)) >= r.Object.Size, err
}

// inspect applies the rules by which CVAT takes or refuses a manifest: its
// is_dataset_manifest looks at the two header lines and the first entry.
// whole tells that nothing follows start.
func inspect(start []byte, whole bool) error {
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		return errors.New("it starts with a byte order mark")
	}
	lines := strings.SplitN(string(start), "\n", 4)
	if !whole {
		lines = lines[:len(lines)-1] // cut off somewhere
	}
	version, err := field[string](lines, 0, "version")
	if err != nil {
		return err
	}
	if version != "1.0" && version != "1.1" {
		return fmt.Errorf("line 1 says version %q; CVAT reads 1.0 and 1.1", version)
	}
	kind, err := field[string](lines, 1, "type")
	if err != nil {
		return err
	}
	switch {
	case whole && (len(lines) < 3 || strings.TrimSpace(lines[2]) == ""):
		return errors.New("it has no entries; CVAT refuses it")
	case kind == "images":
		return firstEntry(lines)
	case kind == "video":
		_, err := field[map[string]any](lines, 2, "properties")
		return err
	}
	return fmt.Errorf("line 2 says type %q; there are images, video", kind)
}

func firstEntry(lines []string) error {
	for _, name := range []string{"name", "extension"} {
		if _, err := field[string](lines, 2, name); err != nil {
			return err
		}
	}
	for _, name := range []string{"width", "height"} { // since CVAT 2.46; floats are refused
		if _, err := field[int](lines, 2, name); err != nil {
			return err
		}
	}
	return nil
}

// field reads one field of a line that holds a JSON object.
func field[T any](lines []string, i int, name string) (T, error) {
	var value T
	if i >= len(lines) {
		return value, fmt.Errorf("line %d is missing, or far too long", i+1)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(lines[i]), &object) != nil {
		return value, fmt.Errorf("line %d is no JSON object", i+1)
	}
	raw, ok := object[name]
	if !ok {
		return value, fmt.Errorf("line %d has no %q", i+1, name)
	}
	if json.Unmarshal(raw, &value) != nil || string(raw) == "null" {
		return value, fmt.Errorf("line %d has a %q of the wrong type: %.40s", i+1, name, raw)
	}
	return value, nil
}
