package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/manifest/report"
)

// count adds the counts of the images, which all have 100 bytes and took
// 2 requests, to counts of another package.
func count(images map[string]head.Head) map[string]int64 {
	all := map[string]int64{"skipped:excluded": 3, "class:odd": 1, "class:99": 1}
	for key, h := range images {
		i := report.Image{Requests: 2}
		i.Entry(h.Type, h.Width, h.Height)
		for name, n := range i.Counts(key, 100) {
			all[name] += n
		}
	}
	return all
}

func TestOf(t *testing.T) {
	t.Parallel()
	first := report.Of(count(map[string]head.Head{
		"a.png":  {Type: "png", Width: 10, Height: 10},
		"b.png":  {Type: "png", Width: 316, Height: 316},
		"c.jpg":  {Type: "jpeg", Width: 4000, Height: 3000},
		"d.JPG":  {Type: "png", Width: 1000, Height: 500},
		"e.jpg":  {Type: "png", Width: 1000, Height: 500},
		"f.gif":  {Type: "png", Width: 1000, Height: 500},
		"g.tiff": {Type: "tiff", Width: 20000, Height: 20000},
		"h.pcd":  {Width: 20, Height: 1},
	}), nil)
	want := &results.ManifestReport{
		Types:       map[string]int64{"png": 5, "jpeg": 1, "tiff": 1, "point-cloud": 1},
		Resolutions: []results.Resolution{{Below: .1, Images: 2}, {Below: 2, Images: 3}, {Below: 24, Images: 1}, {Images: 1}},
		MismatchedExtensions: []results.Mismatch{
			{Extension: ".jpg", Type: "png", Images: 2}, {Extension: ".gif", Type: "png", Images: 1},
		},
		Requests: 16, BytesWhole: 800,
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}

	// The report of a retry covers both runs.
	first.Duplicates = &results.Duplicates{Groups: 1}
	both := report.Of(count(map[string]head.Head{
		"i.jpg":  {Type: "jpeg", Width: 1, Height: 1},
		"j.tiff": {Type: "tiff", Width: 20000, Height: 20000},
		"k.gif":  {Type: "png", Width: 1000, Height: 500},
	}), first)
	want = &results.ManifestReport{
		Types:       map[string]int64{"png": 6, "jpeg": 2, "tiff": 2, "point-cloud": 1},
		Resolutions: []results.Resolution{{Below: .1, Images: 3}, {Below: 2, Images: 4}, {Below: 24, Images: 1}, {Images: 2}},
		MismatchedExtensions: []results.Mismatch{
			{Extension: ".gif", Type: "png", Images: 2}, {Extension: ".jpg", Type: "png", Images: 2},
		},
		Duplicates: &results.Duplicates{Groups: 1},
		Requests:   22, BytesWhole: 800,
	}
	if diff := cmp.Diff(want, both); diff != "" {
		t.Error(diff)
	}
}
