package thumbnail

import (
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// unordered returns a world whose order shows in its keys, with enough
// objects for a few shards. Some are broken.
func unordered(t *testing.T, order keyorder.Order) *jobtest.World {
	t.Helper()
	w := jobtest.NewIn(order)
	good := asPNG(t, quarters(2, 2))
	for i, key := range jobtest.DifferingKeys(2*shardSize + 1) {
		data := good
		if i%20 == 7 {
			data = "no image"
		}
		w.Put(t, key, data)
	}
	w.Put(t, strings.Repeat("（長）", 30)+".png", good)
	w.Put(t, strings.Repeat("😀長", 40)+".png", good)
	return w
}

// The thumbnails and the index are the same, whatever order the bucket
// lists in, and a second run makes none of them again.
func TestJob_InEachOrder(t *testing.T) {
	t.Parallel()
	const directory = ".stevedore/thumbnails/"
	j := tasks.GenerateThumbnails{Source: jobtest.Source("")}
	plain := unordered(t, keyorder.Bytes)
	want := jobtest.Run(t, plain, New(ample), j)
	if want.Err != nil || len(want.Shards) < 3 {
		t.Fatal(want.Err, len(want.Shards))
	}
	index, keys := plain.Get(t, directory+indexName), plain.Keys(t, directory)
	mendAll(t, plain)
	jobtest.Run(t, plain, New(ample), j)
	mendedIndex := plain.Get(t, directory+indexName)

	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		w := unordered(t, order)
		got := jobtest.Run(t, w, New(ample), j)
		if got.Err != nil || got.Result != want.Result || len(got.Errors) != len(want.Errors) {
			t.Fatalf("%v, want %v, %v", got.Result, want.Result, got.Err)
		}
		if w.Get(t, directory+indexName) != index {
			t.Error("the index differs")
		}
		if !slices.Equal(slices.SortedFunc(slices.Values(w.Keys(t, directory)), keyorder.Bytes.Compare), keys) {
			t.Error("the thumbnails differ")
		}
		jobtest.Resumes(t, w, New(ample), j)
		w.Ops()
		again := jobtest.Run(t, w, New(ample), j)
		if puts := w.Ops("put"); len(puts) > 0 || again.Result.(tasks.GenerateThumbnailsResult).Written > 0 {
			t.Errorf("the second run wrote %d objects: %s", len(puts), again.Result.Summary())
		}

		mendAll(t, w)
		retried := jobtest.Retry(t, w, New(ample), j, got.Failed(7))
		if w.Get(t, directory+indexName) != mendedIndex {
			t.Errorf("the index differs after a retry: %s, %v", retried.Result.Summary(), retried.Err)
		}
	})
}

// The bucket of the thumbnails may list in another order than that of
// the images.
func TestJob_TwoOrders(t *testing.T) {
	t.Parallel()
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		w := unordered(t, order)
		other := (keyorder.Unknown &^ (2*order - 1)).First() // the next one, or bytes
		w.CreateIn("other", other)
		j := tasks.GenerateThumbnails{
			Source:      jobtest.Source(""),
			Destination: &tasks.Storage{Provider: "mem", Bucket: "other"},
		}
		for run := range 2 {
			out := jobtest.Run(t, w, New(ample), j)
			puts := len(w.Ops("put"))
			if out.Err != nil || (puts > 0) != (run == 0) {
				t.Errorf("run %d wrote %d objects: %v, %v", run, puts, out.Result, out.Err)
			}
		}
	})
}

// mendAll makes images of all broken ones.
func mendAll(t *testing.T, w *jobtest.World) {
	t.Helper()
	for _, key := range w.Keys(t, "") {
		if strings.HasSuffix(key, ".jpg") && w.Get(t, key) == "no image" {
			w.Put(t, key, asPNG(t, quarters(3, 3)))
		}
	}
}
