package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// layouts is what CVAT makes of images beside others; the file says how
// that was found out.
type layouts struct {
	Related map[string]struct {
		In      []string
		Scenes  []string
		Related map[string][]string
	}
	Clouds []string
	Images string
}

func loadLayouts(t *testing.T) (l layouts) {
	t.Helper()
	data, err := os.ReadFile("testdata/layouts.json")
	if err == nil {
		err = json.Unmarshal(data, &l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const pcd = "# .PCD v.7 - Point Cloud Data file format\nVERSION .7\nFIELDS x y z\nTYPE F U F\n" +
	"WIDTH 213\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 213\nDATA ascii\n"

// put stores something of the type that a key's extension names.
func put(t *testing.T, w *jobtest.World, key string) {
	t.Helper()
	switch {
	case strings.HasSuffix(key, ".pcd"):
		w.Put(t, key, pcd+"1 2 3\n")
	case strings.HasSuffix(key, ".bin"):
		w.Put(t, key, strings.Repeat("x", 7*16))
	default:
		w.Put(t, key, jpegOf(640, 480, 1, 0))
	}
}

// entriesOf returns the context images of each entry, by its object.
func entriesOf(t *testing.T, manifest string) map[string][]string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(manifest, "\n"), "\n")[2:]
	related := map[string][]string{}
	for _, line := range lines {
		var e struct {
			Meta struct {
				Related []string `json:"related_images"`
			}
		}
		name, err := entry.Name([]byte(line))
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		related[name] = e.Meta.Related
	}
	return related
}

// Context images belong to the entries that CVAT finds, and are no
// entries themselves.
func TestJob_ContextImagesLikeCVAT(t *testing.T) {
	t.Parallel()
	for name, c := range loadLayouts(t).Related {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New()
			for _, key := range c.In {
				put(t, w, key)
			}
			j := tasks.BuildManifest{Plain: true, Source: jobtest.Source("")}
			if strings.HasPrefix(name, "3d") {
				j.Dimension = tasks.Dimension3D
			}
			out := jobtest.Run(t, w, New(ample), j)
			if out.Err != nil {
				t.Fatal(out.Err)
			}
			got := entriesOf(t, w.Get(t, "manifest.jsonl"))
			if scenes := slices.Sorted(maps.Keys(got)); !slices.Equal(scenes, c.Scenes) {
				t.Errorf("the entries are %q, want %q", scenes, c.Scenes)
			}
			want := map[string][]string{}
			for _, scene := range c.Scenes {
				want[scene] = c.Related[scene]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			r := out.Result.(tasks.BuildManifestResult)
			if r.Skipped != int64(len(c.In)-len(c.Scenes)) || r.Size != int64(len(w.Get(t, "manifest.jsonl"))) {
				t.Errorf("%+v", r)
			}
			again := jobtest.Run(t, w, New(ample), j)
			if again.Err != nil || !again.Result.(tasks.BuildManifestResult).Unchanged {
				t.Errorf("a second run: %+v, %v", again.Result, again.Err)
			}
		})
	}
}

// The lines are CVAT's, byte for byte.
func TestJob_LayoutsByte(t *testing.T) {
	t.Parallel()
	l := loadLayouts(t)
	for name, c := range map[string]struct {
		keys      []string
		dimension string
		want      string
	}{
		"images": {[]string{"a.png", "related_images/a_png/1.jpg", "related_images/a_png/2.png"}, "", l.Images},
		"clouds": {
			[]string{"pointcloud/000001.pcd", "related_images/000001_pcd/img.png", "velodyne_points/data/000002.bin"},
			tasks.Dimension3D, strings.Join(l.Clouds, "\n"),
		},
	} {
		w := jobtest.New()
		for _, key := range c.keys {
			put(t, w, key)
		}
		out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Plain: true, Source: jobtest.Source(""), Dimension: c.dimension})
		if diff := cmp.Diff(entry.Header+c.want+"\n", w.Get(t, "manifest.jsonl")); out.Err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, out.Err, diff)
		}
	}
}

// An image may belong to several point clouds. The first layout in which
// one exists counts. What belongs to nothing is counted.
func TestJob_ContextOfTwoLayouts(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	for _, key := range []string{"s/s.pcd", "s/a.pcd", "s/a.png", "s/b.png", "t/t.bin", "t/t.png", "u/x.png", "pointcloud/t.bin", "related_images/t_pcd/x.png"} {
		put(t, w, key)
	}
	out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Plain: true, Source: jobtest.Source(""), Dimension: tasks.Dimension3D})
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	want := map[string][]string{
		"s/s.pcd": {"s/b.png"}, "s/a.pcd": {"s/a.png"}, "t/t.bin": {"t/t.png"}, "pointcloud/t.bin": nil,
	}
	if diff := cmp.Diff(want, entriesOf(t, w.Get(t, "manifest.jsonl"))); diff != "" {
		t.Error(diff)
	}
	if by := out.Result.(tasks.BuildManifestResult).SkippedBy; by["context-image"] != 3 || by["unowned-context-image"] != 2 {
		t.Errorf("%v", by)
	}
}

// A broken point cloud is a line of the error list.
func TestJob_BrokenClouds(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	put(t, w, "good.pcd")
	w.Put(t, "odd.bin", "seventeen bytes..")
	w.Put(t, "empty.bin", "")
	w.Put(t, "no.pcd", "VERSION .7\nWIDTH 3\n")
	w.Put(t, "text.pcd", "WIDTH three\nHEIGHT 1\nDATA ascii\n")
	w.Put(t, "new.pcd", "VERSION 9\nWIDTH 3\nHEIGHT 1\nDATA ascii\n")
	w.Put(t, "long.pcd", strings.Repeat("# a comment\n", 10_000)+pcd)
	all := 1.0
	out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Plain: true, Source: jobtest.Source(""), Dimension: tasks.Dimension3D, MaxFailed: &all})
	if out.Err != nil || out.Result.(tasks.BuildManifestResult).Entries != 1 || len(out.Errors) != 6 {
		t.Fatalf("%+v, %v, %v", out.Result, out.Err, out.Errors)
	}
	for _, e := range out.Errors {
		if e.Code != codeCorruptCloud {
			t.Errorf("%+v", e)
		}
	}
}

// An entry does not take any number of context images.
func TestJob_TooManyContextImages(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	put(t, w, "a.png")
	for i := range 5001 {
		w.Put(t, fmt.Sprintf("related_images/a_png/%d.png", i), "x")
	}
	out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Plain: true, Source: jobtest.Source("")})
	if e := (*providers.Error)(nil); !errors.As(out.Err, &e) || e.Code != "TooManyContextImages" {
		t.Errorf("%v", out.Err)
	}
}
