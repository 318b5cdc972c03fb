package export

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// newWorldIn is newWorld with a bucket that lists in some order.
func newWorldIn(t testing.TB, order keyorder.Order, document string, files map[string][]byte) *world {
	t.Helper()
	w := newWorld(t, document, nil)
	w.buckets.CreateIn("images", order)
	w.job.Source.Bucket = "images"
	w.job.Annotations.Storage = &tasks.Storage{Provider: "mem", Bucket: "b"}
	w.job.Destination = w.job.Annotations.Storage
	b, err := w.buckets.Open(t.Context(), w.job.Source, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	for key, data := range files {
		if _, err := b.Put(t.Context(), key, bytes.NewReader(data), providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// No image is lost, whatever order the bucket lists in, and the zip is
// the same.
func TestExport_InEachOrder(t *testing.T) {
	t.Parallel()
	dot := testPNG(1, 1)
	files := map[string][]byte{}
	var images []string
	for i, key := range jobtest.DifferingKeys(1500) {
		if i%50 != 3 {
			files[key] = dot
		}
		images = append(images, imageXML(key, 1, 1))
	}
	slices.Reverse(images)
	document := documentXML(images...)
	plain := newWorldIn(t, keyorder.Bytes, document, files)
	want, _ := plain.export()
	if want.Images != int64(len(files)) {
		t.Fatalf("%d images of %d", want.Images, len(files))
	}
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		var stats, lists, listed atomic.Int64
		w := newWorldIn(t, order, document, files)
		w.wrap = func(b providers.Bucket) providers.Bucket { return countingBucket{b, &stats, &lists, &listed} }
		if got, _ := w.export(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if !slices.Equal(w.lines(), plain.lines()) {
			t.Errorf("%d lines, want %d", len(w.lines()), len(plain.lines()))
		}
		missing := int64(len(images) - len(files))
		if stats.Load() > missing+1 || lists.Load() > 1 {
			t.Errorf("%d stats and %d lists", stats.Load(), lists.Load())
		}
	})
}

// Three images in two directories, of which one name begins the other.
func TestExport_DirectoriesThatBeginEachOther(t *testing.T) {
	t.Parallel()
	names := []string{"a/1.png", "a-b/1.png", "a-b/2.png"}
	files := map[string][]byte{}
	var images []string
	for _, name := range names {
		files[name] = testPNG(1, 1)
		images = append(images, imageXML(name, 1, 1))
	}
	jobtest.InEachOrder(t, func(t *testing.T, order keyorder.Order) {
		w := newWorldIn(t, order, documentXML(images...), files)
		if r, _ := w.export(); r.Images != 3 {
			t.Errorf("%d images of 3: %v", r.Images, w.lines())
		}
	})
}

// oddBucket lists in an order that nobody knows, as some servers do.
type oddBucket struct{ providers.Bucket }

func (b oddBucket) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	rank := func(key string) uint64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(key))
		return h.Sum64()
	}
	return func(yield func(providers.Object, error) bool) {
		var all []providers.Object
		for o, err := range b.Bucket.List(ctx, providers.ListOptions{Prefix: opts.Prefix}) {
			if err != nil {
				yield(o, err)
				return
			}
			if opts.After == "" || rank(o.Key) > rank(opts.After) {
				all = append(all, o)
			}
		}
		slices.SortFunc(all, func(x, y providers.Object) int {
			if rank(x.Key) < rank(y.Key) {
				return -1
			}
			return 1
		})
		for _, o := range all {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// What a listing does not have is asked for by its name, so nothing is
// lost even if the server lists in no order at all.
func TestExport_OrderThatNobodyKnows(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{}
	var images []string
	for i := range 300 {
		name := fmt.Sprintf("im%03d.png", i)
		if i%10 != 0 {
			files[name] = testPNG(1, 1)
		}
		images = append(images, imageXML(name, 1, 1))
	}
	w := newWorld(t, documentXML(images...), files)
	w.wrap = func(b providers.Bucket) providers.Bucket { return oddBucket{b} }
	if r, _ := w.export(); r.Images != int64(len(files)) || r.Failed != 30 {
		t.Errorf("%+v", r)
	}
	w.wrap = func(b providers.Bucket) providers.Bucket { return emptyBucket{b} }
	if r, _ := w.export(); r.Images != int64(len(files)) {
		t.Errorf("an empty listing: %+v", r)
	}
}

// emptyBucket has listings without objects.
type emptyBucket struct{ providers.Bucket }

func (emptyBucket) List(context.Context, providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(func(providers.Object, error) bool) {}
}
