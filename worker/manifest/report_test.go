package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// The report says which images there are, which are the same, and what
// the job has read. A second run reports the same images.
func TestJob_Report(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	size := int64(len(jpegOf(640, 480, 1, 0)))
	for _, key := range []string{"a.jpg", "b/a.jpg", "c.png"} {
		w.Put(t, key, jpegOf(640, 480, 1, 0))
	}
	w.Put(t, "d.jpg", jpegOf(640, 480, 6, 0)) // as large as the others
	w.Put(t, "e.jpg", jpegOf(2000, 2000, 1, 0))
	w.Put(t, "f.jpg", "<!DOCTYPE html>")
	w.Put(t, "readme.txt", "no image")
	j := tasks.BuildManifest{Source: jobtest.Source("")}
	first := result(t, jobtest.Run(t, w, New(ample), j))
	want := &results.ManifestReport{
		Types:                map[string]int64{"jpeg": 5},
		Resolutions:          []results.Resolution{{Below: .5, Images: 4}, {Below: 8, Images: 1}},
		MismatchedExtensions: []results.Mismatch{{Extension: ".png", Type: "jpeg", Images: 1}},
		Duplicates: &results.Duplicates{Groups: 1, Entries: 3, Bytes: 2 * size, Largest: []results.DuplicateGroup{{
			Entries: 3, Size: size, Keys: []string{"a.jpg", "b/a.jpg", "c.png"},
		}}},
		Requests: 6, BytesWhole: 5*size + int64(len("<!DOCTYPE html>")),
	}
	if first.Report.Duplicates == nil || first.Report.Duplicates.Largest[0].ETag == "" {
		t.Fatalf("%+v", first.Report)
	}
	want.Duplicates.Largest[0].ETag = first.Report.Duplicates.Largest[0].ETag
	if diff := cmp.Diff(want, first.Report); diff != "" {
		t.Error(diff)
	}

	second := result(t, jobtest.Run(t, w, New(ample), j))
	want.Requests = 1 // of the image that failed
	if diff := cmp.Diff(want, second.Report); diff != "" {
		t.Error(diff)
	}
}

// Lines without ETags show no duplicates. All else is reported.
func TestJob_ReportWithoutETags(t *testing.T) {
	t.Parallel()
	for name, j := range map[string]tasks.BuildManifest{
		"plain":    {Plain: true},
		"not kept": {Plain: true, Unopenable: "include"},
	} {
		w := jobtest.New()
		w.Put(t, "a.jpg", jpegOf(640, 480, 1, 0))
		w.Put(t, "b.jpg", jpegOf(640, 480, 1, 0))
		j.Source = jobtest.Source("")
		got := result(t, jobtest.Run(t, w, New(ample), j)).Report
		if got.Duplicates != nil || got.Types["jpeg"] != 2 || got.Requests != 2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// The report of a retry covers both runs. An entry with a warning is
// retried too, and counts once.
func TestJob_ReportOfARetry(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "a.png", jpegOf(640, 480, 1, 0)) // a warning
	w.Put(t, "b.jpg", "broken")
	w.Put(t, "c.jpg", jpegOf(640, 480, 1, 0))
	j := tasks.BuildManifest{Source: jobtest.Source(""), MaxFailed: new(1.0)}
	first := jobtest.Run(t, w, New(ample), j)
	before := result(t, first).Report
	w.Put(t, "b.jpg", jpegOf(640, 480, 1, 0))
	got := result(t, jobtest.Retry(t, w, New(ample), j, first.Failed(10))).Report
	want := &results.ManifestReport{
		Types:                map[string]int64{"jpeg": 3},
		Resolutions:          []results.Resolution{{Below: .5, Images: 3}},
		MismatchedExtensions: []results.Mismatch{{Extension: ".png", Type: "jpeg", Images: 1}},
		Duplicates:           before.Duplicates,
		Requests:             before.Requests + 2, BytesWhole: before.BytesWhole,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Point clouds are a type without a resolution.
func TestJob_ReportOfPointClouds(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "a.bin", string(make([]byte, 160)))
	j := tasks.BuildManifest{Source: jobtest.Source(""), Dimension: tasks.Dimension3D}
	got := result(t, jobtest.Run(t, w, New(ample), j)).Report
	want := &results.ManifestReport{Types: map[string]int64{"point-cloud": 1}, BytesWhole: 160}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
