package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// thousand returns a bucket with a thousand images, of which some are
// corrupt.
func thousand(t *testing.T, corrupt int) *jobtest.World {
	t.Helper()
	w := jobtest.New()
	for i := range 1000 {
		content := jpegOf(1+i, 1, 1, 0)
		if i%10 < 3 && corrupt > 0 {
			content = "no image"
			corrupt--
		}
		w.Put(t, fmt.Sprintf("%03d.jpg", i), content)
	}
	return w
}

func TestJob_OneInAThousandIsCorrupt(t *testing.T) {
	t.Parallel()
	w := thousand(t, 1)
	out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Source: jobtest.Source("")})
	if r := result(t, out); r.Entries != 999 || r.Failed != 1 || len(out.Errors) != 1 || r.SkippedBy["corrupt-image"] != 1 {
		t.Errorf("%+v, errors %v", r, out.Errors)
	}
	if n := strings.Count(w.Get(t, "manifest.jsonl"), "\n"); n != 2+999 {
		t.Errorf("the manifest has %d lines", n)
	}
}

func TestJob_ThreeHundredInAThousandAreCorrupt(t *testing.T) {
	t.Parallel()
	w := thousand(t, 300)
	const old = "an older manifest"
	w.Put(t, "manifest.jsonl", old)
	j := tasks.BuildManifest{Source: jobtest.Source("")}
	e := jobtest.WantKind(t, jobtest.Run(t, w, New(ample), j).Err, providers.Invalid)
	if e.Code != "TooManyFailed" || !strings.Contains(e.Error(), "300 of 1000 images") || !strings.Contains(e.Error(), "corrupt-image 300") {
		t.Error(e)
	}
	if w.Get(t, "manifest.jsonl") != old {
		t.Error("something was published")
	}
	j.MaxFailed = new(0.3)
	if r := result(t, jobtest.Run(t, w, New(ample), j)); r.Entries != 700 || r.Failed != 300 {
		t.Errorf("with max_failed 0.3: %s", r.Summary())
	}
}

// Names and sizes are judged before anything is read. Globs and
// prefixes work together.
func TestJob_ReadsOnlyWhatIsSelected(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	image := jpegOf(3, 4, 1, 0)
	for _, key := range []string{"a/1.jpg", "a/tmp/2.jpg", "b/3.png", "c/4.jpg", "c/tab\t.jpg"} {
		w.Put(t, key, image)
	}
	w.Put(t, "a/small.jpg", "x")
	w.Put(t, "a/large.jpg", jpegOf(3, 4, 1, 5000))
	w.Ops()
	j := tasks.BuildManifest{Plain: true,
		Source: jobtest.Source(""), Include: []string{"**/*.jpg"}, Exclude: []string{"**/tmp/", "c/4"},
		MinSize: int64(len(image)), MaxSize: 1000,
	}
	out := jobtest.Run(t, w, New(ample), j)
	r := result(t, out)
	if r.Entries != 2 || r.Failed != 0 || r.Warnings != 1 || r.Skipped != 5 {
		t.Errorf("%+v", r)
	}
	for _, op := range w.Ops("get") {
		if !strings.Contains(op, "a/1.jpg") && !strings.Contains(op, "c/tab") && !strings.Contains(op, "manifest.jsonl") {
			t.Errorf("it has read %s", op)
		}
	}
	if len(out.Errors) != 1 || !out.Errors[0].Warning || out.Errors[0].Key != "c/tab\t.jpg" {
		t.Errorf("%v", out.Errors)
	}
	if m := w.Get(t, "manifest.jsonl"); !strings.Contains(m, `{"name":"c/tab\t","extension":".jpg","width":3,"height":4}`) {
		t.Error(m)
	}
}

// A glob that matches nothing is a frequent mistake, so the advice
// tells what globs are compared with.
func TestJob_GlobsThatSelectNothing(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	j := payload()
	j.Include = []string{"*.jpg"}
	e := jobtest.WantKind(t, jobtest.Run(t, w, New(ample), j).Err, providers.Invalid)
	if e.Code != "NoImages" || !strings.Contains(e.Advice(), "whole key") {
		t.Error(e.Advice())
	}
}
