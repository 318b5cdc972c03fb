package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// A retry gives the images that failed earlier the context images that a
// fresh run gives them: only those in their own directories, and not
// those that the job excludes.
func TestJob_RetryFindsContextImages(t *testing.T) {
	t.Parallel()
	const image = "in/cam/a.b_c.jpg"
	for name, j := range map[string]tasks.BuildManifest{
		"a directory":      {Source: jobtest.Source("in/")},
		"excluded images":  {Source: jobtest.Source("in/"), Exclude: []string{"**/*.png"}},
		"part of a prefix": {Source: jobtest.Source("in/cam/a"), Manifest: "in/cam/manifest.jsonl"},
		"a manifest above": {Source: jobtest.Source("in/"), Manifest: "in/cam.jsonl"},
	} {
		w, fresh := jobtest.New(), jobtest.New()
		for _, key := range []string{
			"in/cam/a.jpg", "in/cam/related_images/a_jpg/1.jpg", "in/cam/related_images/a.b_c_jpg/10.jpg", "in/cam/related_images/a.b_c_jpg/2.png",
			"in/cam/related_images/a.b_c_jpg/é.jpg", "in/cam/related_images/a.b_c_jpg/deep/3.jpg", "in/cam/related_images/a.b_c_jpg/notes.txt",
			"in/related_images/a.b_c_jpg/4.jpg",
		} {
			w.Put(t, key, jpegOf(3, 4, 1, 0))
			fresh.Put(t, key, jpegOf(3, 4, 1, 0))
		}
		w.Put(t, image, "no image")
		fresh.Put(t, image, jpegOf(5, 6, 1, 0))
		j.MaxFailed = new(1.0)
		first := jobtest.Run(t, w, New(ample), j)
		w.Put(t, image, jpegOf(5, 6, 1, 0))
		r := result(t, jobtest.Retry(t, w, New(ample), j, first.Failed(1)))
		want := result(t, jobtest.Run(t, fresh, New(ample), j))
		if diff := cmp.Diff(fresh.Get(t, want.Key), w.Get(t, r.Key)); diff != "" || r.Entries != want.Entries || want.Entries < 1 {
			t.Errorf("%s: %s\n%s", name, r.Summary(), diff)
		}
	}
}
