package manifest

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the checksum of CVAT's manifests
	"encoding/hex"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// Images that are decoded exactly get the MD5 of their pixels, before
// meta. The others go without, and are counted.
func TestJob_Checksums(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(img.Pix, "abcdef")
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	digest := md5.Sum(img.Pix) //nolint:gosec // see above
	sum := hex.EncodeToString(digest[:])
	w := jobtest.New()
	for key, data := range map[string]string{
		"in/a.png": file.String(), "in/cut.png": file.String()[:50], "in/photo.jpg": jpegOf(4, 5, 1, 0),
		"in/related_images/a_png/b.png": file.String(), "in/broken.png": "x",
	} {
		w.Put(t, key, data)
	}
	j := tasks.BuildManifest{Plain: true, Source: jobtest.Source("in/"), Checksum: true, MaxFailed: new(0.9)}
	r := result(t, jobtest.Run(t, w, New(ample), j))
	want := entry.Header + `{"name":"a","extension":".png","width":3,"height":2,"checksum":"` + sum + `","meta":{"related_images":["related_images/a_png/b.png"]}}` + "\n" +
		`{"name":"cut","extension":".png","width":3,"height":2}` + "\n" + `{"name":"photo","extension":".jpg","width":4,"height":5}` + "\n"
	if got := w.Get(t, "in/manifest.jsonl"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r.Entries != 3 || r.WithoutChecksum != 2 || r.Failed != 1 {
		t.Errorf("%+v", r)
	}
	j.Plain = false
	r = result(t, jobtest.Run(t, w, New(ample), j))
	if r.Changes.Kept != 3 || r.WithoutChecksum != 2 {
		t.Errorf("%+v", r)
	}
	w.Ops()
	second := result(t, jobtest.Run(t, w, New(ample), j))
	if got, want := gets(w), []string{"in/broken.png", "in/cut.png", "in/manifest.jsonl"}; !slices.Equal(got, want) || !second.Unchanged || second.WithoutChecksum != 2 {
		t.Errorf("the second run read %q: %+v", got, second)
	}
	j.Checksum = false
	r = result(t, jobtest.Run(t, w, New(ample), j))
	if got := w.Get(t, "in/manifest.jsonl"); strings.Contains(got, "checksum") || r.WithoutChecksum != 0 {
		t.Errorf("without checksums: %+v:\n%s", r, got)
	}
}
