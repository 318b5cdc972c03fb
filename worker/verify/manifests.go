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
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// manifestStart is how many bytes of a manifest are read: enough for
// both header lines and the first entry, whose name may take 12 KiB
// if all of it is escaped.
const manifestStart = 16 << 10

// checkManifest checks the start of one manifest.
func checkManifest(ctx context.Context, b providers.Bucket, key string) tasks.Check {
	start, complete, err := readStart(ctx, b, key)
	if err != nil {
		c := failure(tasks.CheckIDManifests, err)
		if errors.Is(err, providers.NotFound) {
			c.Fix = "Build it with build-manifest, or remove " + key +
				" from the storage's manifests."
		}
		return c
	}
	c := check.OK(key + ": a manifest that CVAT accepts, as far as its start shows")
	if err := inspect(start, complete); err != nil {
		c = check.Fail("InvalidManifest", key+": "+err.Error(),
			"Build it again with build-manifest: CVAT would reject it.")
	}
	c.ID = tasks.CheckIDManifests
	return c
}

// readStart reads the start of an object and reports whether that is
// all of it.
func readStart(ctx context.Context, b providers.Bucket, key string) ([]byte, bool, error) {
	r, err := b.Open(ctx, key, providers.ReadOptions{Length: manifestStart})
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = r.Close() }()
	start, err := io.ReadAll(io.LimitReader(r, manifestStart))
	return start, int64(len(start)) >= r.Object.Size, err
}

// inspect applies the rules by which CVAT accepts or rejects a
// manifest: its is_dataset_manifest reads the two header lines and
// the first entry. complete means that nothing follows start.
func inspect(start []byte, complete bool) error {
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		return errors.New("it starts with a byte order mark")
	}
	lines := strings.SplitN(string(start), "\n", 4)
	if !complete {
		lines = lines[:len(lines)-1] // the last one may be cut
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
	case complete && (len(lines) < 3 || strings.TrimSpace(lines[2]) == ""):
		return errors.New("it has no entries; CVAT rejects it")
	case kind == "images":
		return firstEntry(lines)
	case kind == "video":
		_, err := field[map[string]any](lines, 2, "properties")
		return err
	}
	return fmt.Errorf("line 2 says type %q; CVAT knows images and video", kind)
}

func firstEntry(lines []string) error {
	for _, name := range []string{"name", "extension"} {
		if _, err := field[string](lines, 2, name); err != nil {
			return err
		}
	}
	for _, name := range []string{"width", "height"} { // since CVAT 2.46; floats are rejected
		if _, err := field[int](lines, 2, name); err != nil {
			return err
		}
	}
	return nil
}

// field reads a field of line i, which must be a JSON object.
func field[T any](lines []string, i int, name string) (T, error) {
	var value T
	if i >= len(lines) {
		return value, fmt.Errorf("line %d is missing, or too long", i+1)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(lines[i]), &object) != nil {
		return value, fmt.Errorf("line %d is not a JSON object", i+1)
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
