package thumbnail

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

func TestJob_ContinuesAfterEveryObject(t *testing.T) {
	t.Parallel()
	w, j := zoo(t), New(ample)
	for _, s := range []job.Shard{{Through: "in/z"}, {Keys: []string{"in/a.jpg", "in/broken.jpg", "in/d.png", "in/gone.jpg", "in/text.txt"}}} {
		whole, err := jobtest.Work(t, w, j, payload(), s)
		if err != nil {
			t.Fatal(err)
		}
		for k := 1; k <= len(whole)+1; k++ {
			items, err := jobtest.Interrupted(s, k, func(s job.Shard) iter.Seq2[job.Item, error] {
				env := w.Env()
				env.Progress = nil
				return j.Work(t.Context(), payload(), env, s)
			})
			if diff := cmp.Diff(jobtest.Lines(whole), jobtest.Lines(items)); diff != "" || err != nil {
				t.Errorf("stopped after every %d: %v\n%s", k, err, diff)
			}
		}
	}
}

func TestJob_BeforeObject(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	refusal := errors.New("this object kills workers")
	var started []string
	env := w.Env()
	env.BeforeObject = func(_ context.Context, key string) error {
		if key == "in/cut.jpg" {
			return refusal
		}
		started = append(started, key)
		return nil
	}
	var done []string
	var last error
	for i, err := range New(ample).Work(t.Context(), payload(), env, job.Shard{Through: "in/z"}) {
		if last = err; err == nil {
			done = append(done, i.Key)
		}
	}
	want := []string{"in/a-b.jpg", "in/a.jpg", "in/broken.jpg", "in/c/turned.jpg"}
	if !errors.Is(last, refusal) || !slices.Equal(started, want) || !slices.Equal(done, want) {
		t.Errorf("%v started, %v done, %v", started, done, last)
	}
	if gets := w.Ops("get"); slices.Contains(gets, "get in/cut.jpg") {
		t.Error("the refused object was read")
	}
}

func TestJob_Keys(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	s := job.Shard{After: "in/a.jpg", Keys: []string{"in/a.jpg", "in/cut.jpg", "in/d.png", "in/gone.jpg"}}
	for range 2 {
		w.Ops()
		items, err := jobtest.Work(t, w, New(ample), payload(), s)
		if err != nil || len(items) != 3 || items[0].Error == nil || items[0].Bytes != 1500 {
			t.Fatalf("%+v, %v", items, err)
		}
		if items[1].Tally != tallyWritten || items[1].Bytes == 0 || items[2].Error == nil || items[2].Error.Code != job.CodeNotFound {
			t.Errorf("%+v", items)
		}
		if lists := w.Ops("list"); len(lists) > 0 {
			t.Errorf("it listed: %v", lists)
		}
	}
}

// mend replaces two of the images that fail with good ones.
func mend(t *testing.T, w *jobtest.World) {
	t.Helper()
	for _, key := range []string{"in/broken.jpg", "in/huge.png"} {
		w.Put(t, key, asJPEG(t, quarters(30, 20)))
	}
}

func result(t *testing.T, out jobtest.Outcome) tasks.GenerateThumbnailsResult {
	t.Helper()
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	return out.Result.(tasks.GenerateThumbnailsResult)
}

// A retry of the failed images leaves the same bucket as a fresh run.
func TestJob_RetryEqualsAFreshRun(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 4, 1000} {
		w, fresh := zoo(t), zoo(t)
		first := jobtest.Run(t, w, New(ample), payload())
		mend(t, w)
		mend(t, fresh)
		got := result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(size)))
		result(t, jobtest.Run(t, fresh, New(ample), payload()))
		if diff := cmp.Diff(fresh.Get(t, own+"index.jsonl"), w.Get(t, own+"index.jsonl")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(fresh.Keys(t, ""), w.Keys(t, "")); diff != "" {
			t.Error(diff)
		}
		want := tasks.GenerateThumbnailsResult{Index: own + "index.jsonl", Written: 2, Unchanged: 4, Skipped: 2, Failed: 4}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestJob_RetryTwice(t *testing.T) {
	t.Parallel()
	w := zoo(t)
	first := jobtest.Run(t, w, New(ample), payload())
	mend(t, w)
	result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3)))
	before := w.Get(t, own+"index.jsonl")
	w.Ops()
	r := result(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3)))
	if puts := w.Ops("put"); slices.Contains(puts, "put "+r.Index) || w.Get(t, r.Index) != before || r.Failed != 4 {
		t.Errorf("%s, %v", r.Summary(), puts)
	}
}

func TestJob_RetryWithoutItsIndex(t *testing.T) {
	t.Parallel()
	for content, kind := range map[string]providers.Kind{"": providers.NotFound, "{}\n": providers.Invalid, "no json\n": providers.Invalid} {
		w := zoo(t)
		first := jobtest.Run(t, w, New(ample), payload())
		b, err := w.Open(t.Context(), jobtest.Source(""))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Delete(t.Context(), own+"index.jsonl"); err != nil {
			t.Fatal(err)
		}
		if content != "" {
			w.Put(t, own+"index.jsonl", content)
		}
		e := jobtest.WantKind(t, jobtest.Retry(t, w, New(ample), payload(), first.Failed(3)).Err, kind)
		if !strings.Contains(e.Advice(), "Enqueue the job anew") {
			t.Errorf("%q: advice %q", content, e.Advice())
		}
	}
}
