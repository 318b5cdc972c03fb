package manifest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// gets returns the keys that were read since the last call, each once.
func gets(w *jobtest.World) (keys []string) {
	for _, op := range w.Ops("get") {
		keys = append(keys, strings.TrimPrefix(op, "get "))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// reads counts how often a key was read.
func reads(ops []string, key string) (n int) {
	for _, op := range ops {
		if op == "get "+key {
			n++
		}
	}
	return n
}

func fill(t *testing.T, w *jobtest.World, n int) {
	t.Helper()
	for i := range n {
		w.Put(t, fmt.Sprintf("i/%05d.jpg", i), jpegOf(i+1, 2, 1, 0))
	}
}

// The second run reads no object, and the manifest once. It writes
// nothing.
func TestReuse_ReadsNothingTwice(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	fill(t, w, 2500)
	j := tasks.BuildManifest{Source: jobtest.Source("i/")}
	first := result(t, jobtest.Run(t, w, New(ample), j))
	manifest := w.Get(t, first.Key)
	if c := first.Changes; c == nil || c.Added != 2500 {
		t.Errorf("the first run: %+v", c)
	}
	w.Ops()
	second := result(t, jobtest.Run(t, w, New(ample), j))
	ops := w.Ops("get", "put")
	if want := []string{"get i/manifest.jsonl"}; !slices.Equal(ops, want) {
		t.Errorf("the second run: %d operations: %.200q", len(ops), ops)
	}
	want := results.ManifestChanges{Kept: 2500}
	if !second.Unchanged || !cmp.Equal(second.Changes, &want) || second.BytesRead != 0 || w.Get(t, first.Key) != manifest {
		t.Errorf("%s", second.Summary())
	}
}

// Only new and changed images are read, and the manifest is the same as
// one that is built from nothing.
func TestReuse_ReadsOnlyChanges(t *testing.T) {
	t.Parallel()
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		for _, sorting := range []string{tasks.SortingLexicographical, tasks.SortingNatural} {
			w, fresh := jobtest.NewIn(order), jobtest.NewIn(order)
			keys := append(jobtest.DifferingKeys(60), "a/1.jpg", "a-b/2.jpg", "b10.jpg", "b9.jpg")
			for _, key := range keys {
				w.Put(t, key, jpegOf(3, 4, 1, 0))
				fresh.Put(t, key, jpegOf(3, 4, 1, 0))
			}
			j := tasks.BuildManifest{Source: jobtest.Source(""), Sorting: sorting}
			fresh.Put(t, "z.jpg", jpegOf(8, 8, 1, 0))
			w.Put(t, "gone.jpg", jpegOf(1, 1, 1, 0))
			w.Put(t, "b9.jpg", jpegOf(1, 1, 1, 0))
			if out := jobtest.Run(t, w, New(ample), j); out.Err != nil {
				t.Fatal(out.Err)
			}
			w.Delete(t, "gone.jpg")
			w.Put(t, "b9.jpg", jpegOf(3, 4, 1, 0))
			w.Put(t, "z.jpg", jpegOf(8, 8, 1, 0))
			w.Ops()
			r := result(t, jobtest.Run(t, w, New(ample), j))
			if got := gets(w); !slices.Equal(got, []string{"b9.jpg", "manifest.jsonl", "z.jpg"}) {
				t.Errorf("%s: read %q", sorting, got)
			}
			want := results.ManifestChanges{Added: 1, Changed: 1, Kept: int64(len(keys)) - 1, Removed: 1, RemovedKeys: []string{"gone.jpg"}}
			if diff := cmp.Diff(&want, r.Changes); diff != "" {
				t.Errorf("%s: %s", sorting, diff)
			}
			result(t, jobtest.Run(t, fresh, New(ample), j))
			if diff := cmp.Diff(fresh.Get(t, r.Key), w.Get(t, r.Key)); diff != "" {
				t.Errorf("%s: %s", sorting, diff)
			}
		}
	})
}

// What no longer belongs in the manifest is removed from it.
func TestReuse_SelectionChanges(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	for _, key := range []string{"a/1.jpg", "b/2.jpg", "c/3.jpg"} {
		w.Put(t, key, jpegOf(3, 4, 1, 0))
	}
	j := tasks.BuildManifest{Source: jobtest.Source(""), MaxFailed: new(1.0)}
	result(t, jobtest.Run(t, w, New(ample), j))
	w.Put(t, "c/3.jpg", "no image any more")
	j.Exclude = []string{"a/"}
	r := result(t, jobtest.Run(t, w, New(ample), j))
	want := results.ManifestChanges{Kept: 1, Removed: 2, RemovedKeys: []string{"a/1.jpg"}}
	if diff := cmp.Diff(&want, r.Changes); diff != "" || r.Entries != 1 {
		t.Error(diff)
	}
}

// Warnings, sizes of point clouds and context images come back without
// a read.
func TestReuse_KeepsAllThatAReadTells(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		j       tasks.BuildManifest
		objects map[string]string
	}{
		"2D": {tasks.BuildManifest{}, map[string]string{
			"a.png": jpegOf(3, 4, 6, 0), "tab\t.jpg": jpegOf(5, 6, 1, 0), "x.jpg": jpegOf(7, 8, 1, 0),
			"related_images/x_jpg/side.jpg": jpegOf(1, 1, 1, 0), "y.exr": jpegOf(9, 9, 1, 0),
		}},
		"3D": {tasks.BuildManifest{Dimension: tasks.Dimension3D}, map[string]string{
			"pointcloud/1.pcd":             "VERSION .7\nFIELDS x\nSIZE 4\nTYPE F\nCOUNT 1\nWIDTH 213\nHEIGHT 1\nPOINTS 213\nDATA ascii\n1\n",
			"velodyne_points/data/2.bin":   strings.Repeat("\x00", 16*7),
			"related_images/1_pcd/img.png": "not read",
		}},
		"Unopenable": {tasks.BuildManifest{Unopenable: tasks.UnopenableInclude}, map[string]string{
			"phone.heic": headtest.HEIF("heic", 4032, 3024, headtest.Box("irot", "\x03")), "b.jpg": jpegOf(1, 2, 1, 0),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New()
			for key, data := range c.objects {
				w.Put(t, key, data)
			}
			c.j.Source, c.j.MaxFailed = jobtest.Source(""), new(1.0)
			first := jobtest.Run(t, w, New(ample), c.j)
			w.Ops()
			second := jobtest.Run(t, w, New(ample), c.j)
			if got := gets(w); !slices.Equal(got, []string{"manifest.jsonl"}) {
				t.Errorf("read %q", got)
			}
			if r := result(t, second); !r.Unchanged || r.Changes.Kept != r.Entries || r.Changes.Removed != 0 {
				t.Errorf("%s", r.Summary())
			}
			if diff := cmp.Diff(first.Errors, second.Errors); diff != "" {
				t.Error(diff)
			}
			c.j.Unopenable = ""
			if r := result(t, jobtest.Run(t, w, New(ample), c.j)); name == "Unopenable" && (r.Entries != 1 || r.Changes.Removed != 1) {
				t.Errorf("an image that CVAT cannot open is kept: %s", r.Summary())
			}
		})
	}
}

// A manifest without ETags, as CVAT writes it, says only what has
// changed. One of another kind says nothing.
func TestReuse_OtherManifests(t *testing.T) {
	t.Parallel()
	same := string(entry.Image("a.jpg", 3, 4))
	for name, c := range map[string]struct {
		manifest string
		want     *results.ManifestChanges
	}{
		"CVAT's":   {entry.Header + same + string(entry.Image("b.jpg", 1, 1)) + string(entry.Image("c.jpg", 1, 1)), &results.ManifestChanges{Kept: 1, Changed: 1, Removed: 1, RemovedKeys: []string{"c.jpg"}}},
		"Spaces":   {entry.Header + `{ "name": "a", "extension": ".jpg", "width": 3, "height": 4 }`, &results.ManifestChanges{Added: 1, Kept: 1}},
		"Broken":   {entry.Header + same + "no JSON\n{}\n\n", &results.ManifestChanges{Added: 1, Kept: 1, Removed: 3}},
		"Long":     {entry.Header + `{"name":"` + strings.Repeat("x", 1<<20) + "\"}\n" + same, &results.ManifestChanges{Added: 1, Kept: 1, Removed: 1}},
		"Video":    {`{"version":"1.1"}` + "\n" + `{"type":"video"}` + "\n" + same, nil},
		"List":     {`{"source-ref":"s3://images/a.jpg"}` + "\n", nil},
		"Unsorted": {entry.Header + string(entry.Image("b.jpg", 3, 4)) + same, nil},
		"Empty":    {"", &results.ManifestChanges{Added: 2}},
		"Header":   {entry.Header, &results.ManifestChanges{Added: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := jobtest.New()
			w.Put(t, "a.jpg", jpegOf(3, 4, 1, 0))
			w.Put(t, "b.jpg", jpegOf(3, 4, 1, 0))
			w.Put(t, "manifest.jsonl", c.manifest)
			r := result(t, jobtest.Run(t, w, New(ample), tasks.BuildManifest{Source: jobtest.Source("")}))
			if diff := cmp.Diff(c.want, r.Changes); diff != "" || r.Entries != 2 {
				t.Errorf("%s\n%s", r.Summary(), diff)
			}
			w.Ops()
			result(t, jobtest.Run(t, w, New(ample), tasks.BuildManifest{Source: jobtest.Source("")}))
			if got := gets(w); !slices.Equal(got, []string{"manifest.jsonl"}) {
				t.Errorf("the run after it read %q", got)
			}
		})
	}
}

// If the entries that wait for their objects do not fit into memory,
// all images are read, and nothing else is lost.
func TestReuse_WithoutMemory(t *testing.T) {
	t.Parallel()
	w := jobtest.NewIn(keyorder.UTF16)
	for _, key := range jobtest.DifferingKeys(10) {
		w.Put(t, key, jpegOf(3, 4, 1, 0))
	}
	j := tasks.BuildManifest{Source: jobtest.Source(""), Sorting: tasks.SortingNatural}
	first := result(t, jobtest.Run(t, w, New(ample), j))
	budget := memory.New(1 << 20) // a share has at most three quarters of it
	shards, err := jobtest.Plan(t, w, New(budget), j, "")
	if err != nil {
		t.Fatal(err)
	}
	var items []job.Item
	for _, s := range shards {
		some, err := jobtest.Work(t, w, New(ample), j, s)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, some...)
	}
	out, err := New(ample).Finish(t.Context(), j, w.Env(), jobtest.Parts(items))
	if r, _ := out.(tasks.BuildManifestResult); err != nil || !r.Unchanged || r.Changes != nil || r.Entries != first.Entries {
		t.Errorf("%+v, %v", out, err)
	}
}

// A dry run reads the manifest alone, writes nothing, and says what a
// run would do.
func TestDryRun(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	fill(t, w, 40)
	j := tasks.BuildManifest{Source: jobtest.Source("i/"), DryRun: true}
	dry := result(t, jobtest.Run(t, w, New(ample), j))
	if got := w.Ops("get", "put"); dry.Entries != 40 || dry.Estimate.Requests != 40 || dry.Estimate.Bytes < 40*4096 ||
		!cmp.Equal(dry.Changes, &results.ManifestChanges{Added: 40}) || reads(got, "i/manifest.jsonl") != len(got) {
		t.Errorf("%s; %q", dry.Summary(), got)
	}
	j.DryRun = false
	result(t, jobtest.Run(t, w, New(ample), j))
	w.Put(t, "i/00003.jpg", jpegOf(9, 9, 1, 0))
	w.Delete(t, "i/00004.jpg")
	before := w.Get(t, "i/manifest.jsonl")
	w.Ops()
	j.DryRun = true
	dry = result(t, jobtest.Run(t, w, New(ample), j))
	want := results.ManifestChanges{Changed: 1, Kept: 38, Removed: 1, RemovedKeys: []string{"i/00004.jpg"}}
	if diff := cmp.Diff(&want, dry.Changes); diff != "" || dry.Entries != 39 || dry.Estimate.Requests != 1 {
		t.Errorf("%s\n%s", dry.Summary(), diff)
	}
	if got := w.Ops("get", "put"); !slices.Equal(got, []string{"get i/manifest.jsonl"}) || w.Get(t, "i/manifest.jsonl") != before {
		t.Errorf("it did %q", got)
	}
	if got := dry.Summary(); !strings.Contains(got, "a dry run; a run would read 1 image in 16384 bytes; 0 added, 1 changed, 38 kept, 1 removed") {
		t.Error(got)
	}
}

// A manifest that may not be read is built anew. One that somebody
// stores while the job runs is replaced only by a whole one.
func TestReuse_TargetChanges(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	fill(t, w, 3)
	j := tasks.BuildManifest{Source: jobtest.Source("i/")}
	first := result(t, jobtest.Run(t, w, New(ample), j))
	right := w.Get(t, first.Key)
	out := jobtest.Run(t, w, New(ample), j)
	parts := jobtest.Parts(slices.Concat(out.Items...))
	w.Put(t, first.Key, "theirs\n")
	again, err := New(ample).Finish(t.Context(), j, w.Env(), parts)
	if err != nil || again.(tasks.BuildManifestResult).Unchanged || w.Get(t, first.Key) != right {
		t.Errorf("%v, %v:\n%s", again, err, w.Get(t, first.Key))
	}
	w.Fail = func(op, key string) error {
		if op == "get" && key == first.Key {
			return &providers.Error{Kind: providers.Denied, Op: op, Key: key}
		}
		return nil
	}
	w.Ops()
	if r := result(t, jobtest.Run(t, w, New(ample), j)); r.Changes != nil || len(gets(w)) != 4 {
		t.Errorf("%s", r.Summary())
	}
}

// altering is a bucket that stores other content than it is given.
type altering struct{ providers.Bucket }

// Put implements providers.Bucket.
func (b altering) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	return b.Bucket.Put(ctx, key, io.MultiReader(body, strings.NewReader("\n")), opts)
}

// What was stored is compared with what was to be stored.
func TestJob_StoredOtherContent(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	fill(t, w, 3)
	j := tasks.BuildManifest{Source: jobtest.Source("i/")}
	out := jobtest.Run(t, w, New(ample), j)
	w.Delete(t, "i/manifest.jsonl")
	env := w.Env()
	env.Open = func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
		b, err := w.Open(ctx, s)
		return altering{b}, err
	}
	_, err := New(ample).Finish(t.Context(), j, env, jobtest.Parts(slices.Concat(out.Items...)))
	if e := jobtest.WantKind(t, err, providers.Unavailable); e.Code != "StoredOtherContent" {
		t.Error(err)
	}
}
