package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// readEntry is an entry as CVAT reads it. CVAT ignores other keys.
type readEntry struct {
	Name      *string
	Extension string
	Width     *int // a JSON float is an error
	Height    *int
	Meta      struct {
		Related []string `json:"related_images"`
	}
}

// readManifest reads a manifest as CVAT 2.73 does
// (utils/dataset_manifest/core.py), and is as strict in each entry as
// CVAT is in the first one.
func readManifest(text string) ([]readEntry, error) {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if len(lines) < 3 {
		return nil, errors.New("the manifest has no entries")
	}
	var version, kind map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &version); err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	if v := version["version"]; len(version) != 1 || v != "1.0" && v != "1.1" {
		return nil, fmt.Errorf("line 1 is %s", lines[0])
	}
	if err := json.Unmarshal([]byte(lines[1]), &kind); err != nil {
		return nil, fmt.Errorf("line 2: %w", err)
	}
	if len(kind) != 1 || kind["type"] != "images" {
		return nil, fmt.Errorf("line 2 is %s", lines[1])
	}
	var entries []readEntry
	for i, line := range lines[2:] {
		var e readEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+3, err)
		}
		if e.Name == nil || e.Width == nil || e.Height == nil || *e.Width < 1 || *e.Height < 1 {
			return nil, fmt.Errorf("line %d lacks a name or a size: %s", i+3, line)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// The reader must be able to reject, or the test below proves nothing.
func TestReadManifest_RejectsWhatCVATRejects(t *testing.T) {
	t.Parallel()
	const head, line = "{\"version\":\"1.1\"}\n{\"type\":\"images\"}\n", `{"name":"a","extension":".png","width":1,"height":2}`
	for name, text := range map[string]string{
		"no final newline": head + line, "blank lines at the end": head + line + "\n\n\n",
		"CRLF":         strings.ReplaceAll(head+line+"\n", "\n", "\r\n"),
		"unknown keys": head + `{"etag":"x","name":"a","width":1,"height":2}`,
	} {
		if entries, err := readManifest(text); err != nil || len(entries) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"a blank line between": head + line + "\n\n" + line, "a blank line first": head + "\n" + line,
		"no entries": head, "a byte order mark": "\ufeff" + head + line,
		"a number as version": "{\"version\":1.1}\n{\"type\":\"images\"}\n" + line,
		"version 1.2":         "{\"version\":\"1.2\"}\n{\"type\":\"images\"}\n" + line,
		"one line of head":    "{\"version\":\"1.1\",\"type\":\"images\"}\n" + line + "\n" + line,
		"floats":              head + `{"name":"a","extension":".png","width":1.0,"height":2}`,
		"no size":             head + `{"name":"a","extension":".png"}`, "no name": head + "{}",
	} {
		if _, err := readManifest(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// encoded returns an image of a size in the format of the extension.
func encoded(t *testing.T, extension string, width, height int) string {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch img := image.NewGray(image.Rect(0, 0, width, height)); extension {
	case ".png":
		err = png.Encode(&out, img)
	case ".gif":
		err = gif.Encode(&out, img, nil)
	default:
		return jpegOf(width, height, 1, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Of 1,000 objects of all sorts, CVAT finds the object, the size and the
// context images of each entry, in its order.
func TestJob_CVATReadsAThousandMixedObjects(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	directories := []string{"", "a b/", "ü/😀/", `q"'<&>/`, "x.y/"}
	type size struct{ width, height int }
	want, context := map[string]size{}, map[string][]string{}
	var keys []string
	for i := range 1000 {
		dir, s := directories[i%len(directories)], size{1 + i%50, 1 + i%7}
		stem := fmt.Sprintf("%s%03d", dir, i)
		extension := []string{".jpg", ".PNG", ".gif"}[i%3]
		key := stem + extension
		content := encoded(t, strings.ToLower(extension), s.width, s.height)
		switch i % 20 {
		case 16:
			key, content = stem+".txt", "text"
		case 17:
			content = "no image"
		case 18:
			key = fmt.Sprintf(`%sback\%03d.jpg`, dir, i)
		case 19: // a context image of the first image of these 20
			owner := keys[len(keys)-16]
			at := strings.LastIndexByte(owner, '/') + 1
			key = owner[:at] + "related_images/" + strings.ReplaceAll(owner[at:], ".", "_") + "/c.png"
			context[owner] = []string{key}
		default:
			keys, want[key] = append(keys, key), s
		}
		w.Put(t, key, content)
	}
	out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Source: jobtest.Source("")})
	if r := result(t, out); r.Entries != 800 || r.SkippedBy["context-image"] != 50 {
		t.Errorf("%+v", r)
	}
	entries, err := readManifest(w.Get(t, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		key := *e.Name + e.Extension
		got = append(got, key)
		if s, ok := want[key]; !ok || s != (size{*e.Width, *e.Height}) {
			t.Errorf("%q has %d x %d, want %v", key, *e.Width, *e.Height, s)
		}
		if !slices.Equal(e.Meta.Related, context[key]) {
			t.Errorf("%q has the context images %q, want %q", key, e.Meta.Related, context[key])
		}
	}
	if slices.Sort(keys); !slices.Equal(got, keys) {
		t.Errorf("%d entries, want %d, or in another order", len(got), len(keys))
	}
}
