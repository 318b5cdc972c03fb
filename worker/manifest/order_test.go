package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// unordered returns a world whose order shows in its keys, with enough
// objects for a few shards. Some are broken.
func unordered(t *testing.T, order keyorder.Order) *jobtest.World {
	t.Helper()
	w := jobtest.NewIn(order)
	for i, key := range jobtest.DifferingKeys(2*shardSize + 1) {
		data := jpegOf(1+i, 2, 1, 0)
		if i%100 == 7 {
			data = "no image"
		}
		w.Put(t, key, data)
	}
	return w
}

// The manifest is the same, whatever order the bucket lists in.
func TestJob_InEachOrder(t *testing.T) {
	t.Parallel()
	j := tasks.BuildManifest{Plain: true, Source: jobtest.Source("")}
	plain := unordered(t, keyorder.Bytes)
	want := jobtest.Run(t, plain, New(ample), j)
	if want.Err != nil || len(want.Shards) < 3 {
		t.Fatal(want.Err, len(want.Shards))
	}
	manifest := plain.Get(t, "manifest.jsonl")
	mendAll(t, plain)
	mended := jobtest.Run(t, plain, New(ample), j)
	mendedManifest := plain.Get(t, "manifest.jsonl")

	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		w := unordered(t, order)
		got := jobtest.Run(t, w, New(ample), j)
		if got.Err != nil {
			t.Fatal(got.Err)
		}
		if w.Get(t, "manifest.jsonl") != manifest {
			t.Error("the manifest differs")
		}
		if diff := cmp.Diff(want.Result, got.Result); diff != "" || len(got.Errors) != len(want.Errors) {
			t.Errorf("%d errors, want %d\n%s", len(got.Errors), len(want.Errors), diff)
		}
		jobtest.Resumes(t, w, New(ample), j)
		if again := jobtest.Run(t, w, New(ample), j); !again.Result.(tasks.BuildManifestResult).Unchanged {
			t.Error("a second run changed the manifest")
		}

		mendAll(t, w)
		retried := jobtest.Retry(t, w, New(ample), j, got.Failed(7))
		if w.Get(t, "manifest.jsonl") != mendedManifest || retried.Result.(tasks.BuildManifestResult).Entries != mended.Result.(tasks.BuildManifestResult).Entries {
			t.Errorf("the manifest differs after a retry: %s, %v", retried.Result.Summary(), retried.Err)
		}
	})
}

// mendAll makes images of all broken ones.
func mendAll(t *testing.T, w *jobtest.World) {
	t.Helper()
	for _, key := range w.Keys(t, "") {
		if strings.HasSuffix(key, ".jpg") && w.Get(t, key) == "no image" {
			w.Put(t, key, jpegOf(9, 9, 1, 0))
		}
	}
}

// An object that two shards had is one entry.
func TestJob_ObjectInTwoShards(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	want := jobtest.Run(t, w, New(ample), payload())
	items := want.Items[0]
	r, err := New(ample).Finish(t.Context(), payload(), w.Env(), jobtest.Parts(append(items, items[1:4]...)))
	if err != nil || !r.(tasks.BuildManifestResult).Unchanged || r.(tasks.BuildManifestResult).Entries != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}
