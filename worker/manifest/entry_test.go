package manifest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// vectors is what CVAT does; testdata/cvat.json says how that was
// found out.
type vectors struct {
	Names struct {
		Keys   []string `json:"keys"`
		Width  int      `json:"width"`
		Height int      `json:"height"`
		Lines  []string `json:"lines"`
	} `json:"names"`
	Orientation struct {
		Width    int            `json:"width"`
		Height   int            `json:"height"`
		Lines    []string       `json:"lines"`
		Departed map[int]string `json:"departed"`
	} `json:"orientation"`
	Sorted []string `json:"sorted"`
}

func load(t *testing.T) (v vectors) {
	t.Helper()
	data, err := os.ReadFile("testdata/cvat.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEntry_EqualsCVATs(t *testing.T) {
	t.Parallel()
	v := load(t)
	if len(v.Names.Keys) != len(v.Names.Lines) || len(v.Names.Keys) < 13 {
		t.Fatalf("%d keys, %d lines", len(v.Names.Keys), len(v.Names.Lines))
	}
	for i, key := range v.Names.Keys {
		if got := string(entry.Image(key, v.Names.Width, v.Names.Height)); got != v.Names.Lines[i]+"\n" {
			t.Errorf("%q:\n got %s\nwant %s", key, got, v.Names.Lines[i])
		}
	}
}

func TestJob_OrientationLikeCVAT(t *testing.T) {
	t.Parallel()
	v := load(t).Orientation
	w := jobtest.New()
	for o := range 10 {
		w.Put(t, "o"+string(rune('0'+o))+".jpg", jpegOf(v.Width, v.Height, o, 0))
	}
	out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Plain: true, Source: jobtest.Source("")})
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	want := v.Lines
	for i, line := range v.Departed {
		want[i] = line
	}
	if diff := cmp.Diff(entry.Header+strings.Join(want, "\n")+"\n", w.Get(t, "manifest.jsonl")); diff != "" {
		t.Error(diff)
	}
}

func TestJob_OrderLikeCVAT(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	var want []string
	for _, key := range load(t).Sorted {
		if imagehead.ByName(key) != imagehead.Image {
			continue
		}
		w.Put(t, key, jpegOf(1, 1, 1, 0))
		want = append(want, string(entry.Image(key, 1, 1)))
	}
	if out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Plain: true, Source: jobtest.Source("")}); out.Err != nil {
		t.Fatal(out.Err)
	}
	if diff := cmp.Diff(entry.Header+strings.Join(want, ""), w.Get(t, "manifest.jsonl")); diff != "" {
		t.Error(diff)
	}
}

// CVAT joins name and extension to get the key back.
func FuzzEntry(f *testing.F) {
	for _, s := range []string{"a.jpg", "<&>\"\\\x7f\x00.png", "é😀\u2028.JPG", ".hidden", "a\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		line := entry.Image(name, 1, 2)
		for _, b := range line[:len(line)-1] {
			if b < 0x20 || b > 0x7e {
				t.Fatalf("%q has the byte %#x", line, b)
			}
		}
		var e struct {
			Name, Extension string
			Width, Height   int
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if utf8.ValidString(name) && e.Name+e.Extension != name || e.Width != 1 || e.Height != 2 {
			t.Fatalf("%q reads as %+v", line, e)
		}
	})
}
