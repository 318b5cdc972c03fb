package export

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco/cocotest"
)

// GEN-11: images that the bucket does not have are on the error list,
// and neither in the JSON nor in the zip.
func TestMissingImages(t *testing.T) {
	t.Parallel()
	var all []string
	for _, name := range []string{"z.png", "im/b.png", "a.png", "im/a.png", "im/d.png", "im/a.png"} {
		all = append(all, imageXML(name, 3, 3, `<tag label="car"/>`, boxXML(`xtl="0" ytl="0" xbr="1" ybr="1"`)))
	}
	w := newWorld(t, documentXML(all...), map[string][]byte{"im/a.png": testPNG(3, 3), "im/c.png": testPNG(3, 3), "z.png": testPNG(3, 3)})
	result, z := w.export()
	if diff := cmp.Diff([]string{"im/b.png: not-found", "a.png: not-found", "im/d.png: not-found",
		"im/a.png: unsupported-shape", "im/a.png: unsupported-shape", "z.png: unsupported-shape"}, w.lines()); diff != "" {
		t.Error(diff)
	}
	f := cocotest.Parse(t, unzip(t, z, defaultJSON))
	if result.Images != 3 || len(f.Images) != 3 || len(f.Annotations) != 3 || len(z.File) != 1+3+1 || result.Failed != 6 {
		t.Errorf("%+v: %+v", result, f)
	}
	if c := w.progress.Counts(); c.Objects != 6 || c.ObjectsTotal != 6 {
		t.Errorf("progress %+v", c)
	}
}

// The images may be in a directory, under a prefix that ends within a
// name. Listings show only what starts with the prefix.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, documentXML(imageXML("im1.png", 3, 3), imageXML("other.png", 3, 3), imageXML("no.png", 3, 3), imageXML("im2.png", 3, 3)),
		map[string][]byte{"cats/im1.png": testPNG(3, 3), "cats/other.png": testPNG(3, 3)})
	w.job.Source.Prefix, w.job.Annotations.ImageDirectory = "cats/im", "cats/"
	w.job.Annotations.Storage = &tasks.Storage{Provider: "mem", Bucket: "b"}
	w.job.Destination = w.job.Annotations.Storage
	result, _ := w.export()
	if diff := cmp.Diff([]string{"cats/no.png: not-found", "cats/im2.png: not-found"}, w.lines()); diff != "" || result.Images != 2 {
		t.Error(result, diff)
	}
}

func TestNoImagePresent(t *testing.T) {
	t.Parallel()
	for name, prefix := range map[string]string{"elsewhere": "", "outside the prefix": "cats/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, documentXML(imageXML("a.png", 3, 3), imageXML("b.png", 3, 3)), map[string][]byte{"cats/a.png": testPNG(3, 3)})
			w.job.Source.Prefix = prefix
			w.job.Annotations.Storage = &tasks.Storage{Provider: "mem", Bucket: "b"}
			w.job.Destination = w.job.Annotations.Storage
			_, err := w.run(context.Background())
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.NotFound || e.Code != "NoImages" || e.Fix == "" {
				t.Errorf("%v", err)
			}
		})
	}
}

// countingBucket counts the requests to a bucket.
type countingBucket struct {
	providers.Bucket
	stats, lists, listed *atomic.Int64
}

func (c countingBucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	c.stats.Add(1)
	return c.Bucket.Stat(ctx, key)
}

func (c countingBucket) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	c.lists.Add(1)
	return func(yield func(providers.Object, error) bool) {
		for o, err := range c.Bucket.List(ctx, opts) {
			c.listed.Add(1)
			if !yield(o, err) {
				return
			}
		}
	}
}

// Few images in a large bucket take few requests, and so do many
// images.
func TestPresenceIsCheap(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{}
	var few, many []string
	dot := testPNG(1, 1)
	for i := range 2100 {
		name := fmt.Sprintf("im%04d.png", i)
		files[name] = dot
		many = append(many, imageXML(name, 1, 1))
	}
	few = append(few, many[10], many[11], many[2090], imageXML("im9999.png", 1, 1))
	for _, c := range []struct {
		images                      []string
		stats, lists, listed, found int64
	}{
		{few, 2, 2, 1020, 3},
		{many, 1, 1, 2099, 2100},
	} {
		var stats, lists, listed atomic.Int64
		w := newWorld(t, documentXML(c.images...), files)
		w.wrap = func(b providers.Bucket) providers.Bucket { return countingBucket{b, &stats, &lists, &listed} }
		result, _ := w.export()
		if result.Images != c.found || stats.Load() > c.stats || lists.Load() > c.lists || listed.Load() > c.listed {
			t.Errorf("%d images: %d stats, %d lists of %d objects; found %d", len(c.images), stats.Load(), lists.Load(), listed.Load(), result.Images)
		}
	}
}

// An image too large for memory is streamed as it is, and is turned
// upright like any other.
func TestLargeImages(t *testing.T) {
	t.Parallel()
	large := append(testPNG(3, 3), make([]byte, maxHeld)...)
	turned := append(testJPEG(40, 24, 6), make([]byte, maxHeld)...)
	w := newWorld(t, documentXML(imageXML("l.png", 3, 3), imageXML("t.jpg", 24, 40)), map[string][]byte{"l.png": large, "t.jpg": turned})
	_, z := w.export()
	if got := unzip(t, z, "images/default/l.png"); string(got) != string(large) {
		t.Errorf("%d bytes, not %d", len(got), len(large))
	}
	if got := unzip(t, z, "images/default/t.jpg"); len(got) > 10_000 || len(w.lines()) > 0 {
		t.Errorf("%d bytes, lines %q", len(got), w.lines())
	}
}
