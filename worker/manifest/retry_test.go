package manifest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// A shard gives the same data and reads no image twice, however often
// it is interrupted.
func TestJob_ContinuesAfterEveryObject(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	for _, s := range []job.Shard{
		{Through: "in/z"}, {Keys: []string{"in/a.jpg", "in/broken.jpg", "in/gone.jpg", "in/readme.txt", "in/tga.tga"}},
	} {
		w.Ops()
		whole, err := jobtest.Work(t, w, New(ample), payload(), s)
		if err != nil {
			t.Fatal(err)
		}
		reads := slices.Sorted(slices.Values(w.Ops("get")))
		for k := 1; k <= len(whole)+1; k++ {
			env := w.Env()
			env.BeforeObject = func(context.Context, string) error { return nil } // so nothing is read ahead
			w.Ops()
			items, err := jobtest.Interrupted(s, k, func(s job.Shard) iter.Seq2[job.Item, error] {
				return New(ample).Work(t.Context(), payload(), env, s)
			})
			if diff := cmp.Diff(whole, items); diff != "" || err != nil {
				t.Errorf("stopped after every %d: %v\n%s", k, err, diff)
			}
			if diff := cmp.Diff(reads, slices.Sorted(slices.Values(w.Ops("get")))); diff != "" {
				t.Errorf("stopped after every %d, it made other requests:\n%s", k, diff)
			}
		}
	}
}

func TestJob_BeforeObject(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	refusal := errors.New("this object kills workers")
	var started, done []string
	env := w.Env()
	env.BeforeObject = func(_ context.Context, key string) error {
		if !slices.Equal(started, done) {
			t.Errorf("%s starts before the others are done", key)
		}
		if key == "in/c/far.jpeg" {
			return refusal
		}
		started = append(started, key)
		return nil
	}
	var last error
	for i, err := range (New(ample)).Work(t.Context(), payload(), env, job.Shard{Through: "in/z"}) {
		if last = err; err == nil {
			done = append(done, i.Key)
		}
	}
	if !errors.Is(last, refusal) || len(done) == 0 || !slices.Equal(started, done) || !slices.IsSorted(done) {
		t.Errorf("%v started, %v done, %v", started, done, last)
	}
	if gets := w.Ops("get"); slices.Contains(gets, "get in/c/far.jpeg") {
		t.Error("the refused object was read")
	}
}

func TestJob_MissingKeys(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	items, err := jobtest.Work(t, w, New(ample), payload(), job.Shard{
		After: "in/a.jpg", Through: "in/a.jpg", Keys: []string{"in/a.jpg", "in/b turned.JPG", "in/broken.jpg", "in/gone.jpg"},
	})
	if err != nil || len(items) != 3 || items[1].Error == nil || items[1].Bytes != int64(len("<!DOCTYPE html>")) {
		t.Fatalf("%+v, %v", items, err)
	}
	if items[0].Tally != tallyEntries || items[2].Error == nil || items[2].Error.Code != job.CodeNotFound {
		t.Errorf("%+v", items)
	}
	if lists := w.Ops("list"); len(lists) > 1 { // the context images of one entry
		t.Errorf("it listed: %v", lists)
	}
}

// mend replaces some of the images that fail with good ones. Their
// names come before, between and after those of the entries.
func mend(t *testing.T, w *jobtest.World) {
	t.Helper()
	for _, key := range []string{"in/broken.jpg", "in/psd.psd", "in/tga.tga"} {
		w.Put(t, key, jpegOf(77, 88, 1, 0))
	}
}

func result(t *testing.T, out jobtest.Outcome) tasks.BuildManifestResult {
	t.Helper()
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	return out.Result.(tasks.BuildManifestResult)
}

// A retry of the failed images leaves the same bucket as a fresh run.
func TestJob_RetryEqualsAFreshRun(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 1000} {
		w, fresh := zoo(t), zoo(t)
		for _, key := range []string{"in/!first.jpg", "in/é.jpg", "in/\U0001f600.jpg", "in/c/zz.png"} { // in an order that only bytes give
			w.Put(t, key, "no image")
			fresh.Put(t, key, jpegOf(5, 6, 1, 0))
		}
		first := jobtest.Run(t, w, New(ample), payload())
		mend(t, w)
		mend(t, fresh)
		for _, key := range []string{"in/!first.jpg", "in/é.jpg", "in/\U0001f600.jpg", "in/c/zz.png"} {
			w.Put(t, key, jpegOf(5, 6, 1, 0))
		}
		w.Ops()
		retried := jobtest.Retry(t, w, New(ample), payload(), first.Failed(size))
		got := result(t, retried)
		lists := 0
		for _, op := range w.Ops("list", "get") {
			if op == "get in/a.jpg" {
				t.Errorf("it read an image that had not failed")
			}
			if strings.HasPrefix(op, "list") {
				lists++
			}
		}
		if lists < 7 || lists > 5*7 { // the context images of each mended image, also after an interruption
			t.Errorf("it listed %d times", lists)
		}
		want := result(t, jobtest.Run(t, fresh, New(ample), payload()))
		if diff := cmp.Diff(fresh.Get(t, want.Key), w.Get(t, want.Key)); diff != "" {
			t.Error(diff)
		}
		want.BytesRead, want.Changes = retried.Counts.Bytes, nil
		want.Report = got.Report // see TestJob_ReportOfARetry
		if diff := cmp.Diff(want, got); diff != "" || got.Failed != 4 || got.Entries != 12 || got.BytesRead == 0 {
			t.Errorf("%s\n%s", got.Summary(), diff)
		}
	}
}

// A retry changes nothing if it runs twice, or if every image fails
// again.
func TestJob_RetryTwice(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	first := jobtest.Run(t, w, New(ample), payload())
	before := w.Get(t, "in/manifest.jsonl")
	if r := result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3))); !r.Unchanged || r.Failed != 7 || r.Entries != 5 || w.Get(t, r.Key) != before {
		t.Errorf("all failed again: %s", r.Summary())
	}
	mend(t, w)
	second := jobtest.Retry(t, w, New(ample), payload(), first.Failed(3))
	third := jobtest.Retry(t, w, New(ample), payload(), first.Failed(3))
	if r := result(t, third); !r.Unchanged || result(t, second).Unchanged || r.Entries != 8 || r.Skipped != 6 {
		t.Errorf("%s, then %s", second.Result.Summary(), r.Summary())
	}
	w.Put(t, "in/broken.jpg", jpegOf(1, 2, 1, 0)) // it already is an entry
	w.Put(t, "in/psd.psd", "no image any more")
	if r := result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3))); r.Entries != 8 || r.Unchanged {
		t.Errorf("after other changes: %s", r.Summary())
	}
	if m := w.Get(t, "in/manifest.jsonl"); !strings.Contains(m, `{"name":"broken","extension":".jpg","width":1,"height":2,"etag":`) {
		t.Errorf("the entry is not replaced:\n%s", m)
	}
	fourth := jobtest.Retry(t, w, New(ample), payload(), third.Failed(3)) // what is still wrong after the third
	if r := result(t, fourth); r.Entries != 8 || r.Skipped != 6 || len(third.Errors) != 4+3 {
		t.Errorf("a retry of a retry: %s", r.Summary())
	}
}

// Another retry of the same objects stores its manifest at the same
// time.
func TestJob_RetryTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w, other := zoo(t), zoo(t)
	first := jobtest.Run(t, w, New(ample), payload())
	mend(t, w)
	mend(t, other)
	jobtest.Run(t, other, New(ample), payload())
	done := other.Get(t, "in/manifest.jsonl")
	w.Fail = func(op, _ string) error {
		if op == "put" {
			w.Fail = nil
			w.Put(t, "in/manifest.jsonl", done)
		}
		return nil
	}
	if r := result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3))); !r.Unchanged || r.Entries != 8 {
		t.Error(r.Summary())
	}
}

// The manifest's head stays, even if someone else has changed it.
func TestJob_RetryKeepsTheHead(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	first := jobtest.Run(t, w, New(ample), payload())
	head := `{"version":"1.0"}` + "\n" + `{"type":"images","more":1}` + "\n"
	w.Put(t, "in/manifest.jsonl", strings.Replace(w.Get(t, "in/manifest.jsonl"), entry.Header, head, 1))
	mend(t, w)
	if r := result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3))); r.Entries != 8 || r.Size != int64(len(w.Get(t, r.Key))) {
		t.Error(r.Summary())
	}
	if m := w.Get(t, "in/manifest.jsonl"); !strings.HasPrefix(m, head+`{"name":"a"`) {
		t.Error(m)
	}
}

func TestJob_RetryWithoutItsManifest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		content string
		kind    providers.Kind
	}{
		{"", providers.NotFound},
		{entry.Header + "{}\n", providers.Invalid},
		{entry.Header + `{"name":"b","extension":".jpg"}` + "\n" + `{"name":"a","extension":".jpg"}` + "\n", providers.Invalid},
		{entry.Header + "no json\n", providers.Invalid},
	} {
		w := zoo(t)
		first := jobtest.Run(t, w, New(ample), payload())
		b, err := w.Open(t.Context(), jobtest.Source(""))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Delete(t.Context(), "in/manifest.jsonl"); err != nil {
			t.Fatal(err)
		}
		if c.content != "" {
			w.Put(t, "in/manifest.jsonl", c.content)
		}
		mend(t, w)
		e := jobtest.WantKind(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3)).Err, c.kind)
		if !strings.Contains(e.Advice(), "Enqueue the job anew") {
			t.Errorf("%q: advice %q", c.content, e.Advice())
		}
		if c.content != "" && w.Get(t, "in/manifest.jsonl") != c.content {
			t.Errorf("%q was overwritten", c.content)
		}
	}
}

// A retry of denied images may find all of them denied again. That
// does not fail the job, because these images were chosen for being
// denied.
func TestJob_RetryStillDenied(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	w.Fail = func(op, key string) error {
		if (op == "get" || op == "stat") && strings.HasPrefix(key, "in/c/") {
			return &providers.Error{Op: op, Key: key, Kind: providers.Denied}
		}
		return nil
	}
	first := jobtest.Run(t, w, New(ample), payload())
	first.Errors = slices.DeleteFunc(first.Errors, func(e tasks.ObjectError) bool { return e.Code != job.CodeDenied })
	if r := result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3))); r.Failed != 2 || r.Entries != 3 {
		t.Error(r.Summary())
	}
}

// A large manifest is merged while it streams.
func TestJob_RetryOfMany(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	const n = 3000
	for i := range n {
		w.Put(t, fmt.Sprintf("%05d.jpg", i), map[bool]string{true: "no image", false: jpegOf(1+i, 1, 1, 0)}[i%7 == 0])
	}
	j := tasks.BuildManifest{Source: jobtest.Source("")}
	first := jobtest.Run(t, w, New(ample), j)
	for _, e := range first.Errors {
		w.Put(t, e.Key, jpegOf(9, 9, 1, 0))
	}
	got := result(t, jobtest.Retry(t, w, New(ample), j, first.Failed(100)))
	merged := w.Get(t, got.Key)
	if want := result(t, jobtest.Run(t, w, New(ample), j)); !want.Unchanged || got.Entries != n || want.Size != got.Size || w.Get(t, got.Key) != merged {
		t.Errorf("%s, and a fresh run %s", got.Summary(), want.Summary())
	}
}
