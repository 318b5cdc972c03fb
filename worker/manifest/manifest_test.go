package manifest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// ample is more memory than any test needs.
var ample = memory.New(512 << 20)

var update = flag.Bool("update", false, "write the golden files anew")

// jpegOf returns the start of a JPEG, up to its data: an EXIF
// orientation, padding, and a frame header.
func jpegOf(width, height, orientation, padding int) string {
	exif := fmt.Sprintf("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00%c\x00\x00\x00\x00\x00\x00", rune(orientation))
	segment := func(marker byte, content string) string {
		n := len(content) + 2
		return string([]byte{0xff, marker, byte(n >> 8), byte(n)}) + content
	}
	frame := string([]byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 1, 1, 0x11, 0})
	return "\xff\xd8" + segment(0xe1, exif) + segment(0xe2, strings.Repeat("\x00", padding)) + segment(0xc0, frame) + "\xff\xda"
}

// zoo returns a bucket with an object of every sort.
func zoo(t *testing.T) *jobtest.World {
	t.Helper()
	w := jobtest.New("elsewhere")
	for key, data := range map[string]string{
		"in/a.jpg":                    jpegOf(640, 480, 1, 0),
		"in/b turned.JPG":             jpegOf(640, 480, 6, 0),
		"in/c/far.jpeg":               jpegOf(6000, 4000, 8, 60_000),
		"in/c/фото.jpg":               jpegOf(10, 20, 1, 0),
		"in/d.png":                    jpegOf(30, 40, 1, 0), // a JPEG, which the name does not say
		"in/broken.jpg":               "<!DOCTYPE html>",
		"in/empty.jpg":                "",
		"in/psd.psd":                  "8BPS\x00\x01\x00\x00",
		"in/phone.heic":               headtest.HEIF("heic", 4032, 3024, headtest.Box("irot", "\x03")),
		"in/tga.tga":                  "nobody knows this",
		"in/back\\slash.jpg":          jpegOf(1, 1, 1, 0),
		"in/e//f.jpg":                 jpegOf(1, 1, 1, 0),
		"in/readme.txt":               "text",
		"in/folder/":                  "",
		"in/other.jsonl":              "{}\n",
		"in/.stevedore/thumb.jpg":     jpegOf(1, 1, 1, 0),
		"in/c/.stevedore/x/thumb.jpg": jpegOf(1, 1, 1, 0),
		"in/private/x.jpg":            jpegOf(1, 1, 1, 0),
		"inside.jpg":                  jpegOf(9, 9, 1, 0),
		"out/a.jpg":                   jpegOf(1, 1, 1, 0),
	} {
		w.Put(t, key, data)
	}
	return w
}

// payload is of a job that manages with many bad images, as those of
// zoo.
func payload() tasks.BuildManifest {
	return tasks.BuildManifest{Source: jobtest.Source("in/"), Exclude: []string{"in/private/"}, MaxFailed: new(1.0)}
}

func TestJob_Zoo(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	out := jobtest.Run(t, w, New(ample), payload())
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	golden(t, "zoo.jsonl", w.Get(t, "in/manifest.jsonl"))
	var lines strings.Builder
	for _, e := range out.Errors {
		fmt.Fprintf(&lines, "%s\t%s\t%s\n", e.Key, e.Code, e.Message)
	}
	golden(t, "zoo.errors", lines.String())
	r := out.Result.(tasks.BuildManifestResult)
	want := tasks.BuildManifestResult{
		Key: "in/manifest.jsonl", Entries: 5, Skipped: 6, Failed: 7, Size: int64(len(w.Get(t, "in/manifest.jsonl"))), BytesRead: r.BytesRead,
		SkippedBy: map[string]int64{
			"backslash": 1, "corrupt-image": 3, "cvat-cannot-open": 1, "empty-object": 1, "empty-segment": 1, "excluded": 1,
			"folder-marker": 1, "not-an-image": 2, "own-output": 2,
		},
		Warnings: 1, Changes: &results.ManifestChanges{Added: 5},
		Report: &results.ManifestReport{
			Types:                map[string]int64{"jpeg": 5},
			Resolutions:          []results.Resolution{{Below: .1, Images: 2}, {Below: .5, Images: 2}, {Below: 100, Images: 1}},
			MismatchedExtensions: []results.Mismatch{{Extension: ".png", Type: "jpeg", Images: 1}},
			Requests:             10, BytesWhole: 60_437,
		},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if r.BytesRead < 16_384 || out.Counts.Objects != 18 || out.Counts.Failed != 8 {
		t.Errorf("read %d bytes, counts %+v", r.BytesRead, out.Counts)
	}
}

// CVAT cannot open a HEIC. On demand it is an entry, with the size as
// displayed.
func TestJob_Unopenable(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "phone.heic", headtest.HEIF("heic", 4032, 3024, headtest.Box("irot", "\x03")))
	w.Put(t, "raw.dng", "II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x03\x00\x01\x00\x00\x00\x10\x00\x00\x00"+
		"\x01\x01\x03\x00\x01\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00") // a TIFF of 16 x 16
	w.Put(t, "named.heic", jpegOf(10, 20, 1, 0)) // CVAT looks at the content
	w.Put(t, "huge.png", "\x89PNG\r\n\x1a\n"+headtest.Chunk("IHDR", headtest.Uint32(20000, 10000), "\x08\x02\x00\x00\x00"))
	j := tasks.BuildManifest{Plain: true, Source: jobtest.Source(""), MaxFailed: new(0.0)}
	out := jobtest.Run(t, w, New(ample), j)
	named := string(entry.Image("named.heic", 10, 20))
	if got := w.Get(t, "manifest.jsonl"); out.Err != nil || got != entry.Header+named {
		t.Fatalf("%v\n%s", out.Err, got)
	}
	r := out.Result.(tasks.BuildManifestResult)
	if want := map[string]int64{selection.CodeCannotOpen: 3}; !cmp.Equal(want, r.SkippedBy) || r.Failed != 3 || r.Warnings != 1 {
		t.Errorf("%+v", r)
	}
	j.Unopenable, j.MaxFailed = tasks.UnopenableInclude, new(1.0)
	out = jobtest.Run(t, w, New(ample), j)
	want := entry.Header + string(entry.Image("huge.png", 20000, 10000)) + named + string(entry.Image("phone.heic", 3024, 4032))
	if got := w.Get(t, "manifest.jsonl"); out.Err != nil || got != want {
		t.Errorf("%v\n%s", out.Err, got)
	}
	r = out.Result.(tasks.BuildManifestResult)
	if want := map[string]int64{head.CodeUnsupported: 1}; !cmp.Equal(want, r.SkippedBy) || r.Failed != 1 {
		t.Errorf("a camera's raw file, whose head is that of its preview: %+v", r)
	}
}

func TestJob_SecondRunWritesNothing(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	first := jobtest.Run(t, w, New(ample), payload())
	w.Ops()
	second := jobtest.Run(t, w, New(ample), payload())
	if first.Err != nil || second.Err != nil {
		t.Fatal(first.Err, second.Err)
	}
	if puts := w.Ops("put"); len(puts) > 0 {
		t.Errorf("the second run wrote: %v", puts)
	}
	if r := second.Result.(tasks.BuildManifestResult); !r.Unchanged || r.Skipped != 6 || second.Counts.Failed != first.Counts.Failed {
		t.Errorf("the second run says %s, and counts %+v, not %+v", r.Summary(), second.Counts, first.Counts)
	}
	w.Put(t, "in/new.jpg", jpegOf(1, 1, 1, 0))
	third := jobtest.Run(t, w, New(ample), payload())
	if r := third.Result.(tasks.BuildManifestResult); r.Unchanged || r.Entries != 6 {
		t.Errorf("after a new image: %s", r.Summary())
	}
}

func TestJob_ManyShards(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	const n = 2*shardSize + 1
	for i := range n {
		w.Put(t, fmt.Sprintf("i/%05d.jpg", i), jpegOf(1+i, 1, 1, 0))
	}
	j := tasks.BuildManifest{Source: jobtest.Source("i/")}
	jobtest.Resumes(t, w, New(ample), j)
	out := jobtest.Run(t, w, New(ample), j)
	if out.Err != nil || len(out.Shards) < 3 {
		t.Fatalf("%d shards, %v", len(out.Shards), out.Err)
	}
	lines := strings.Split(w.Get(t, "i/manifest.jsonl"), "\n")
	if len(lines) != n+3 || !slices.IsSorted(lines[2:n+2]) || !strings.Contains(lines[n+1], `"name":"02000"`) {
		t.Errorf("%d lines, the last %q", len(lines), lines[n+1])
	}
}

func TestJob_ElsewhereAndOutside(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	j := payload()
	j.Destination = &tasks.Storage{Provider: "mem", Bucket: "elsewhere"}
	j.Manifest = "in/c/far.jsonl"
	out := jobtest.Run(t, w, New(ample), j)
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	outside := 0
	for _, e := range out.Errors {
		if e.Code == selection.CodeOutside {
			outside++
		}
	}
	if r := out.Result.(tasks.BuildManifestResult); r.Entries != 2 || r.Key != "in/c/far.jsonl" || outside != 8 {
		t.Errorf("%s, %d outside", r.Summary(), outside)
	}
	if keys := w.Keys(t, "in/manifest"); len(keys) > 0 {
		t.Errorf("the source got %v", keys)
	}
}

func TestJob_NoImages(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	for _, prefix := range []string{"none/", "in/readme", "in/broken"} {
		out := jobtest.Run(t, w, New(ample), tasks.BuildManifest{Source: jobtest.Source(prefix), Manifest: manifestFor(prefix)})
		e := jobtest.WantKind(t, out.Err, providers.Invalid)
		if e.Code != "NoImages" || e.Fix == "" {
			t.Errorf("%s: %+v", prefix, e)
		}
	}
	if puts := w.Ops("put"); len(puts) > 0 {
		t.Errorf("wrote %v", puts)
	}
}

func manifestFor(prefix string) string { return filepath.Dir(prefix+"x") + "/manifest.jsonl" }

func TestJob_Errors(t *testing.T) {
	t.Parallel()
	for kind, c := range map[providers.Kind]struct {
		code  string // on the error list; empty when the job must fail
		fatal bool
	}{
		providers.NotFound:        {code: job.CodeNotFound},
		providers.Conflict:        {code: job.CodeChanged},
		providers.Denied:          {code: job.CodeDenied},
		providers.Invalid:         {code: job.CodeInvalid},
		providers.Throttled:       {fatal: true},
		providers.Unavailable:     {fatal: true},
		providers.Unauthenticated: {fatal: true},
		providers.Blocked:         {fatal: true},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := zoo(t)
			w.Fail = func(op, key string) error {
				if op == "get" && key == "in/a.jpg" {
					return &providers.Error{Op: op, Key: key, Kind: kind}
				}
				return nil
			}
			out := jobtest.Run(t, w, New(ample), payload())
			if c.fatal {
				_ = jobtest.WantKind(t, out.Err, kind)
				return
			}
			if out.Err != nil || !slices.ContainsFunc(out.Errors, func(e tasks.ObjectError) bool {
				return e.Key == "in/a.jpg" && e.Code == c.code
			}) {
				t.Errorf("%v, %v", out.Err, out.Errors)
			}
		})
	}
}

func TestJob_EverythingDenied(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	w.Fail = func(op, key string) error {
		if op == "get" {
			return &providers.Error{Op: op, Key: key, Kind: providers.Denied, Fix: "Grant it."}
		}
		return nil
	}
	out := jobtest.Run(t, w, New(ample), payload())
	if e := jobtest.WantKind(t, out.Err, providers.Denied); e.Advice() != "Grant it." {
		t.Errorf("advice %q", e.Advice())
	}
}

// The head of an image is never read from two versions of it.
func TestJob_ChangedWhileRead(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "a.jpg", jpegOf(1, 1, 1, 60_000))
	w.Put(t, "b.jpg", jpegOf(2, 2, 1, 0))
	reads := 0
	w.Fail = func(op, key string) error {
		if op == "get" && key == "a.jpg" {
			if reads++; reads%2 == 0 { // the jump to the frame header
				w.Fail = nil
				w.Put(t, "a.jpg", jpegOf(3, 3, 1, 60_000))
			}
		}
		return nil
	}
	items, err := jobtest.Work(t, w, New(ample), tasks.BuildManifest{Source: jobtest.Source("")}, job.Shard{Through: "b.jpg"})
	if err != nil || len(items) != 2 || items[0].Error == nil || items[0].Error.Code != job.CodeChanged || items[1].Tally != tallyEntries {
		t.Errorf("%+v, %v", items, err)
	}
}

func TestJob_Requests(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	if _, err := jobtest.Work(t, w, New(ample), payload(), job.Shard{Through: "in/z"}); err != nil {
		t.Fatal(err)
	}
	if lists := w.Ops("list"); len(lists) != 1 {
		t.Errorf("%d listings: %v", len(lists), lists)
	}
	_, _ = jobtest.Work(t, w, New(ample), payload(), job.Shard{Through: "in/a.jpg"})
	if gets := w.Ops("get", "stat"); !slices.Equal(gets, []string{"get in/a.jpg"}) {
		t.Errorf("requests %v", gets)
	}
}

func TestJob_FailsWithItsBucket(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"open", "list", "put"} {
		w := zoo(t)
		w.Fail = func(o, key string) error {
			if o == op {
				return &providers.Error{Op: op, Key: key, Kind: providers.Denied}
			}
			return nil
		}
		out := jobtest.Run(t, w, New(ample), payload())
		if !errors.Is(out.Err, providers.Denied) {
			t.Errorf("%s: %v", op, out.Err)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s:\n%s", path, diff)
	}
}

// A server that refuses the write of the manifest is named before the
// first listing. With unconditional_put the result says what was done.
func TestServerWithoutConditions(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	j := tasks.BuildManifest{Source: jobtest.Source("in/")}
	w.Fail = func(op, _ string) error {
		if op == "conditions" {
			return &providers.Error{Op: "put", Kind: providers.Invalid, Code: "NoConditionalPut"}
		}
		return nil
	}
	w.Ops()
	err := New(ample).Plan(t.Context(), j, w.Env(), "", func(job.Shard) error { return nil })
	if !errors.Is(err, providers.Invalid) || len(w.Ops("list", "get")) > 0 {
		t.Errorf("got %v", err)
	}

	w.Fail = nil
	j.Source.UnconditionalPut = true
	const line = `{"name":"a","extension":".jpg","width":1,"height":1}` + "\n"
	parts := jobtest.Parts([]job.Item{{Key: "in/a.jpg", Data: []byte(line), Tally: tallyEntries}})
	result, err := New(ample).Finish(t.Context(), j, w.Env(), parts)
	if err != nil {
		t.Fatal(err)
	}
	r := result.(tasks.BuildManifestResult)
	if !r.Unconditional || !strings.Contains(r.Summary(), "without a condition") {
		t.Errorf("got %+v: %s", r, r.Summary())
	}
}
