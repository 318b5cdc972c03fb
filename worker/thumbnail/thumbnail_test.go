package thumbnail

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

const own = "in/.stevedore/thumbnails/"

func zoo(t *testing.T) *jobtest.World {
	t.Helper()
	w := jobtest.New("elsewhere")
	for key, data := range map[string]string{
		"in/a.jpg":         asJPEG(t, quarters(320, 240)),
		"in/a-b.jpg":       asJPEG(t, quarters(64, 48)),
		"in/c/turned.jpg":  turned(asJPEG(t, quarters(320, 240)), 6),
		"in/d.png":         asPNG(t, quarters(50, 500)),
		"in/broken.jpg":    "no image",
		"in/cut.jpg":       asJPEG(t, quarters(320, 240))[:1500],
		"in/empty.png":     "",
		"in/e//f.jpg":      asJPEG(t, quarters(8, 8)),
		"in/huge.png":      pngHead(20_000, 20_000),
		"in/phone.heic":    headtest.HEIF("heic", 4032, 3024),
		"in/text.txt":      "x",
		"in/private/x.jpg": asJPEG(t, quarters(8, 8)),
	} {
		w.Put(t, key, data)
	}
	return w
}

func payload() tasks.GenerateThumbnails {
	return tasks.GenerateThumbnails{Source: jobtest.Source("in/"), Exclude: []string{"in/private/"}}
}

func index(t *testing.T, text string) (lines []indexLine) {
	t.Helper()
	for line := range strings.Lines(text) {
		var l indexLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestJob_Zoo(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	out := jobtest.Run(t, w, New(ample), payload())
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	want := tasks.GenerateThumbnailsResult{Index: own + "index.jsonl", Written: 4, Skipped: 2, Failed: 6}
	if diff := cmp.Diff(want, out.Result.(tasks.GenerateThumbnailsResult)); diff != "" {
		t.Error(diff)
	}
	var shown []string
	for _, e := range index(t, w.Get(t, own+"index.jsonl")) {
		shown = append(shown, fmt.Sprintf("%s %dx%d", e.Key, e.Width, e.Height))
		if !strings.HasPrefix(e.Thumbnail, own+e.Key+".") || len(e.ETag) != 32 {
			t.Errorf("line %+v", e)
		}
		h, err := readHead([]byte(w.Get(t, e.Thumbnail)))
		h.Layout = head.Layout{}
		if err != nil || h != (head.Head{Type: imagehead.JPEG, Width: e.Width, Height: e.Height, Orientation: 1}) {
			t.Errorf("%s: %+v, %v", e.Thumbnail, h, err)
		}
	}
	if diff := cmp.Diff([]string{"in/a-b.jpg 64x48", "in/a.jpg 256x192", "in/c/turned.jpg 192x256", "in/d.png 26x256"}, shown); diff != "" {
		t.Error(diff)
	}
	var failed []string
	for _, e := range out.Errors {
		failed = append(failed, e.Key+" "+e.Code)
	}
	if diff := cmp.Diff([]string{
		"in/broken.jpg corrupt-image", "in/cut.jpg corrupt-image", "in/e//f.jpg unusable-key", "in/empty.png empty-object",
		"in/huge.png too-large", "in/phone.heic unsupported-format",
	}, failed); diff != "" {
		t.Error(diff)
	}
}

// Globs and prefixes select as for a manifest.
// Phones export JPEGs under the names of HEICs.
func TestJob_ContentCountsNotTheName(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Put(t, "a.heic", asJPEG(t, quarters(64, 48)))
	out := jobtest.Run(t, w, New(ample), tasks.GenerateThumbnails{Source: jobtest.Source("")})
	if out.Err != nil || len(out.Errors) > 0 || out.Result.(tasks.GenerateThumbnailsResult).Written != 1 {
		t.Errorf("%v, %+v, %+v", out.Err, out.Errors, out.Result)
	}
}

func TestJob_Globs(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	j := payload()
	j.Include, j.Exclude = []string{"**/*.jpg"}, []string{"in/[!a]*.jpg", "**/c/", "**/private/", "in/e"}
	out := jobtest.Run(t, w, New(ample), j)
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	var keys []string
	for _, e := range index(t, w.Get(t, own+"index.jsonl")) {
		keys = append(keys, e.Key)
	}
	if diff := cmp.Diff([]string{"in/a-b.jpg", "in/a.jpg"}, keys); diff != "" || len(out.Errors) > 0 {
		t.Error(diff, out.Errors)
	}
}

func TestJob_SecondRunWritesNothing(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	if out := jobtest.Run(t, w, New(ample), payload()); out.Err != nil {
		t.Fatal(out.Err)
	}
	before := w.Get(t, own+"index.jsonl")
	w.Ops()
	out := jobtest.Run(t, w, New(ample), payload())
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	ops := w.Ops("put", "stat", "get")
	if slices.ContainsFunc(ops, func(op string) bool { return strings.HasPrefix(op, "put") || strings.HasPrefix(op, "stat") }) {
		t.Errorf("the second run did %v", ops)
	}
	if slices.Contains(ops, "get in/a.jpg") {
		t.Error("the second run read an image again")
	}
	if r := out.Result.(tasks.GenerateThumbnailsResult); r.Written != 0 || r.Unchanged != 4 || r.Failed != 6 {
		t.Error(r.Summary())
	}
	if diff := cmp.Diff(before, w.Get(t, own+"index.jsonl")); diff != "" {
		t.Errorf("the index changed:\n%s", diff)
	}
}

func TestJob_OnlyWhatChanged(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	jobtest.Run(t, w, New(ample), payload())
	w.Put(t, "in/a.jpg", asJPEG(t, quarters(300, 400)))
	w.Ops()
	out := jobtest.Run(t, w, New(ample), payload())
	puts := w.Ops("put")
	if out.Err != nil || len(puts) != 2 || !strings.HasPrefix(puts[0], "put "+own+"in/a.jpg.") || puts[1] != "put "+own+"index.jsonl" {
		t.Errorf("put %v, %v", puts, out.Err)
	}
	other := payload()
	other.Size = 128
	if out := jobtest.Run(t, w, New(ample), other); out.Err != nil || out.Result.(tasks.GenerateThumbnailsResult).Written != 4 {
		t.Errorf("another size: %v, %v", out.Result, out.Err)
	}
}

// One listing shows the existing thumbnails, whatever else the
// directory has.
func TestJob_Requests(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	for _, other := range []string{"in/a.jpg", "in/a.jpg.0123456789ab.9x9.jpg", "in/a.jpg.jpg", "zz"} {
		w.Put(t, own+other, "x")
	}
	jobtest.Run(t, w, New(ample), payload())
	w.Ops()
	if _, err := jobtest.Work(t, w, New(ample), payload(), job.Shard{Through: "in/z"}); err != nil {
		t.Fatal(err)
	}
	if lists := w.Ops("list"); len(lists) != 2 {
		t.Errorf("listings %v, want one of the source and one of the thumbnails", lists)
	}
}

func TestJob_ManyShards(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	small := asPNG(t, quarters(2, 2))
	for i := range 2*shardSize + 10 {
		w.Put(t, fmt.Sprintf("%04d.png", i), small)
	}
	j := tasks.GenerateThumbnails{Source: jobtest.Source("")}
	jobtest.Resumes(t, w, New(ample), j)
	out := jobtest.Run(t, w, New(ample), j)
	if out.Err != nil || len(out.Shards) < 3 || out.Result.(tasks.GenerateThumbnailsResult).Written != 2*shardSize+10 {
		t.Fatalf("%d shards, %v, %v", len(out.Shards), out.Result, out.Err)
	}
	lines := index(t, w.Get(t, ".stevedore/thumbnails/index.jsonl"))
	if len(lines) != 2*shardSize+10 || !slices.IsSortedFunc(lines, func(a, b indexLine) int { return strings.Compare(a.Key, b.Key) }) {
		t.Errorf("%d lines", len(lines))
	}
	out = jobtest.Run(t, w, New(ample), j)
	if r := out.Result.(tasks.GenerateThumbnailsResult); r.Written != 0 || r.Unchanged != 2*shardSize+10 {
		t.Error(r.Summary())
	}
}

func TestJob_Directories(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	j := payload()
	j.Directory = "in/small/"
	for range 2 {
		out := jobtest.Run(t, w, New(ample), j)
		if out.Err != nil || len(w.Keys(t, "in/small/in/small/")) > 0 || len(w.Keys(t, "in/small/")) != 5 {
			t.Errorf("%v, %v", w.Keys(t, "in/small/"), out.Err)
		}
	}
	w, j = zoo(t), payload()
	j.Destination = &tasks.Storage{Provider: "mem", Bucket: "elsewhere", Prefix: "out/x"}
	j.Directory = "out/"
	if e := jobtest.WantKind(t, jobtest.Run(t, w, New(ample), j).Err, providers.Invalid); e.Code != "DirectoryNotListable" {
		t.Error(e)
	}
	j.Destination.Prefix = "out/"
	for _, want := range []int64{4, 0} {
		if out := jobtest.Run(t, w, New(ample), j); out.Err != nil || out.Result.(tasks.GenerateThumbnailsResult).Written != want {
			t.Errorf("%v, %v; want %d written", out.Result, out.Err, want)
		}
	}
}

func TestJob_NoImages(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	for _, prefix := range []string{"inn/", "in/text", "in/broken", "in/private/"} {
		j := payload()
		j.Source = jobtest.Source(prefix)
		if e := jobtest.WantKind(t, jobtest.Run(t, w, New(ample), j).Err, providers.Invalid); e.Code != "NoImages" || e.Fix == "" {
			t.Errorf("%s: %v", prefix, e)
		}
	}
	if puts := w.Ops("put"); len(puts) > 0 {
		t.Errorf("it wrote %v", puts)
	}
}

// What the job itself has written is no object of the job.
func TestJob_LeavesOutItsOwnFiles(t *testing.T) {
	t.Parallel()
	for _, directory := range []string{"", "in/small/"} {
		w, j := zoo(t), payload()
		j.Directory = directory
		for range 2 {
			out := jobtest.Run(t, w, New(ample), j)
			if r := out.Result.(tasks.GenerateThumbnailsResult); out.Counts.Objects != 12 || out.Shards[0].Objects != 12 || r.Skipped != 2 {
				t.Errorf("%q: %d objects, %d planned: %s", directory, out.Counts.Objects, out.Shards[0].Objects, r.Summary())
			}
		}
	}
}

// The other images have their thumbnails already, so only the one that
// the bucket refuses is asked for.
func TestJob_OneRefusedAmongUnchanged(t *testing.T) {
	t.Parallel()
	for _, kind := range []providers.Kind{providers.Denied, providers.Invalid} { // forbidden; archived, or encrypted by its owner's key
		w := zoo(t)
		w.Fail = func(op, key string) error {
			if op == "get" && key == "in/a.jpg" {
				return &providers.Error{Op: op, Key: key, Kind: kind}
			}
			return nil
		}
		j := tasks.GenerateThumbnails{Source: jobtest.Source("in/"), Exclude: []string{"in/broken", "in/cut", "in/huge"}}
		for _, unchanged := range []int64{0, 4} {
			out := jobtest.Run(t, w, New(ample), j)
			if out.Err != nil {
				t.Fatalf("%s: %v", kind, out.Err)
			}
			r := out.Result.(tasks.GenerateThumbnailsResult)
			if r.Unchanged != unchanged || r.Written+r.Unchanged != 4 || r.Failed != 4 {
				t.Errorf("%s: %s", kind, r.Summary())
			}
		}
	}
}

func TestJob_Errors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op    string
		kind  providers.Kind
		fatal bool
	}{
		"an image that was removed":      {"get", providers.NotFound, false},
		"an image that may not be read":  {"get", providers.Denied, false},
		"an image that changed":          {"get", providers.Conflict, false},
		"a bucket out of reach":          {"get", providers.Unavailable, true},
		"a bucket that throttles":        {"get", providers.Throttled, true},
		"a name that cannot be written":  {"put", providers.Invalid, false},
		"no right to write":              {"put", providers.Denied, true},
		"no bucket to write to":          {"put", providers.NotFound, true},
		"a bucket out of reach to write": {"put", providers.Unavailable, true},
		"no right to list":               {"list", providers.Denied, true},
		"no connection":                  {"open", providers.Invalid, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := zoo(t)
			w.Fail = func(op, key string) error {
				if op == c.op && (op == "list" || op == "open" || strings.Contains(key, "in/a.jpg")) {
					return &providers.Error{Op: op, Key: key, Kind: c.kind}
				}
				return nil
			}
			out := jobtest.Run(t, w, New(ample), payload())
			if c.fatal {
				_ = jobtest.WantKind(t, out.Err, c.kind)
				return
			}
			if out.Err != nil || out.Counts.Failed != 7 || out.Errors[0].Key != "in/a.jpg" {
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
			return &providers.Error{Op: op, Key: key, Kind: providers.Denied}
		}
		return nil
	}
	_ = jobtest.WantKind(t, jobtest.Run(t, w, New(ample), payload()).Err, providers.Denied)
}

// A server that refuses the write of the index is named before the first
// listing. With unconditional_put the result says what was done.
func TestServerWithoutConditions(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	j := tasks.GenerateThumbnails{Source: jobtest.Source("in/")}
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
	const line = `{"key":"in/a.jpg","etag":"e","thumbnail":"in/t.jpg","width":1,"height":1}` + "\n"
	parts := jobtest.Parts([]job.Item{{Key: "in/a.jpg", Data: []byte(line), Tally: tallyWritten}})
	result, err := New(ample).Finish(t.Context(), j, w.Env(), parts)
	if err != nil {
		t.Fatal(err)
	}
	r := result.(tasks.GenerateThumbnailsResult)
	if !r.Unconditional || !strings.Contains(r.Summary(), "without a condition") {
		t.Error(r.Summary())
	}
}
