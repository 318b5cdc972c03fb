package selection_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
)

func TestSelection_Judge(t *testing.T) {
	t.Parallel()
	j := tasks.BuildManifest{Include: []string{"in/", "**/*.png"}, Exclude: []string{"**/tmp/**"}, MinSize: 10, MaxSize: 20}
	s := selection.New(j, "in/")
	const unusable = head.CodeUnusableKey
	for _, c := range []struct {
		key         string
		size        int64
		tally, code string
	}{
		{"in/a.jpg", 10, "", ""},
		{"in/a.jpg", 20, "", ""},
		{"in/tab\t.jpg", 10, "", ""},
		{"in/a.jpg", 9, "skipped:below-min-size", ""},
		{"in/a.jpg", 21, "skipped:above-max-size", ""},
		{"other/a.jpg", 10, "skipped:excluded", ""},
		{"in/x/tmp/y/a.jpg", 10, "skipped:excluded", ""},
		{"in/a.txt", 10, "skipped:not-an-image", ""},
		{"in/a", 10, "skipped:not-an-image", ""},
		{"in/a/", 0, "skipped:folder-marker", ""},
		{"in/a.jpg/", 0, "skipped:folder-marker", ""},
		{"in/.stevedore/thumbnails/a.jpg", 10, "skipped:own-output", ""},
		{`in/a\b.jpg`, 10, "unusable:backslash", unusable},
		{"in//a.jpg", 10, "unusable:empty-segment", unusable},
		{"in/./a.jpg", 10, "unusable:dot-segment", unusable},
		{"in/../in/a.jpg", 10, "unusable:dot-dot-segment", unusable},
		{"/in/a.png", 10, "unusable:leading-slash", unusable},
		{"in/\x00a.jpg", 10, "unusable:nul-character", unusable},
		{"in/\xffa.jpg", 10, "unusable:not-utf-8", unusable},
		{"in/" + strings.Repeat("é", 1018) + ".jpg", 10, "unusable:too-long", unusable},
		{"in/" + strings.Repeat("é", 1017) + ".jpg", 10, "", ""},
		{"other/a.png", 10, "unusable:outside-manifest-directory", selection.CodeOutside},
		{"in/a.NEF", 10, "unusable:cvat-cannot-open", selection.CodeCannotOpen},
		{"in/a.heic", 10, "", ""}, // its content decides
	} {
		v := s.Judge(providers.Object{Key: c.key, Size: c.size})
		code := ""
		if e := (*head.Error)(nil); errors.As(v.Err, &e) {
			code = e.Code
		}
		if v.Tally != c.tally || code != c.code {
			t.Errorf("%.40q of %d bytes: %q, %v; want %q, %q", c.key, c.size, v.Tally, v.Err, c.tally, c.code)
		}
	}
}

func TestWarning(t *testing.T) {
	t.Parallel()
	if w := selection.Warning("a b/é😀.jpg", "jpeg"); w != nil {
		t.Error(w)
	}
	for key, text := range map[string]string{
		"a\tb.jpg": `at byte 1, '\t'`, "é\x7f.jpg": `at byte 2, '\x7f'`, "\u0085.jpg": `at byte 0, '\u0085'`, "a/\x01": `'\x01'`,
	} {
		w := selection.Warning(key, "jpeg")
		if w == nil || !w.Warning || w.Key != key || w.Code != selection.CodeControl || !strings.Contains(w.Message, text) {
			t.Errorf("%q: %+v", key, w)
		}
	}
}

func TestWarning_MismatchedExtension(t *testing.T) {
	t.Parallel()
	w := selection.Warning("a.png", "jpeg")
	if w == nil || !w.Warning || w.Code != selection.CodeMismatch || w.Message != "the name ends in .png, but the content is jpeg" {
		t.Errorf("%+v", w)
	}
	if w := selection.Warning("a.exr", "jpeg"); w != nil {
		t.Errorf("of a type without a reader: %+v", w)
	}
}

// parts is of a run with 6 entries, one of them with a warning, 5
// skipped objects, 3 on the error list for their names and types,
// and 4 failed images.
func parts() job.Parts {
	return job.Parts{
		Tally: map[string]int64{
			"entries": 6, "skipped:excluded": 3, "skipped:context-image": 2, "unusable:backslash": 2, "unusable:cvat-cannot-open": 1,
		},
		Codes:  map[string]int64{"corrupt-image": 3, "denied": 1, "unusable-key": 2, "cvat-cannot-open": 1, "control-character": 1},
		Failed: 8, Warnings: 1,
	}
}

func TestSkippedBy(t *testing.T) {
	t.Parallel()
	want := map[string]int64{"excluded": 3, "context-image": 2, "backslash": 2, "cvat-cannot-open": 1, "corrupt-image": 3, "denied": 1}
	if got := selection.SkippedBy(parts()); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := selection.Skipped(parts()); got != 5 {
		t.Errorf("%d objects are skipped", got)
	}
	if got := selection.SkippedBy(job.Parts{Tally: map[string]int64{"entries": 1}}); got != nil {
		t.Errorf("nothing is skipped: %v", got)
	}
	again := job.Parts{Tally: map[string]int64{"unusable:backslash": 2}, Codes: map[string]int64{"denied": 1, "unusable-key": 2}}
	if got := selection.Amend(want, again); !maps.Equal(got, map[string]int64{"excluded": 3, "context-image": 2, "backslash": 2, "denied": 1}) {
		t.Errorf("after a run of those that failed: %v", got)
	}
}

// Of 10 images 4 failed; the 3 with bad names and types do not
// count.
func TestCheckFailed(t *testing.T) {
	t.Parallel()
	for share, fails := range map[float64]bool{0: true, 0.39: true, 0.4: false, 1: false} {
		err := selection.CheckFailed(tasks.BuildManifest{MaxFailed: &share}, 6, parts())
		if (err != nil) != fails {
			t.Errorf("max_failed %v: %v", share, err)
		}
	}
	err := selection.CheckFailed(tasks.BuildManifest{}, 6, parts())
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != "TooManyFailed" ||
		!strings.Contains(err.Error(), "4 of 10 images") || !strings.HasSuffix(e.Detail, "max_failed allows a share of 0.2: corrupt-image 3, denied 1") {
		t.Errorf("by default: %v", err)
	}
	if err := selection.CheckFailed(tasks.BuildManifest{MaxFailed: new(0.0)}, 0, job.Parts{Failed: 1, Warnings: 1}); err != nil {
		t.Errorf("a warning counts as a failure: %v", err)
	}
}
