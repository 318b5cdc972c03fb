package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

// text returns a write function for a text, which it writes in pieces.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, piece := range strings.SplitAfter(s, "\n") {
			if _, err := io.WriteString(w, piece); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		return nil
	}
}

func TestPublish_WritesOnlyChanges(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	b := open(t, w)
	long := strings.Repeat("a line of text\n", 20_000)
	for _, c := range []struct {
		content   string
		unchanged bool
	}{
		{"", false}, {"", true}, {long, false}, {long, true}, {long + "x", false}, {long, false}, {long[:100], false},
		{"b" + long[1:], false}, {"b" + long[1:], true}, {"", false},
	} {
		w.Ops()
		p, err := job.Publish(t.Context(), b, "k", "text/plain", text(c.content))
		puts := len(w.Ops("put"))
		if err != nil || p.Unchanged != c.unchanged || (puts == 0) != c.unchanged || w.Get(t, "k") != c.content || p.Object.Key != "k" {
			t.Errorf("%d bytes: %+v, %v, %d puts", len(c.content), p, err, puts)
		}
	}
}

// Before a job reads anything, it learns that its result could not be
// published.
func TestCheckTarget(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	if err := w.Env().CheckTarget(t.Context(), jobtest.Source("")); err != nil {
		t.Error(err)
	}
	w.Fail = func(op, _ string) error {
		if op == "conditions" {
			return &providers.Error{Op: "put", Kind: providers.Invalid, Code: "NoConditionalPut"}
		}
		return nil
	}
	err := w.Env().CheckTarget(t.Context(), jobtest.Source(""))
	if e := jobtest.WantKind(t, err, providers.Invalid); e.Code != "NoConditionalPut" {
		t.Errorf("got %v", err)
	}
}

func TestPublish_NeverOverwritesUnseenContent(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "old"} {
		w := jobtest.New()
		if before != "" {
			w.Put(t, "k", before)
		}
		w.Fail = func(op, _ string) error {
			if op == "put" {
				w.Fail = nil
				w.Put(t, "k", "someone else's")
			}
			return nil
		}
		_, err := job.Publish(t.Context(), open(t, w), "k", "text/plain", text("mine"))
		if !errors.Is(err, providers.Conflict) || w.Get(t, "k") != "someone else's" {
			t.Errorf("before %q: %v", before, err)
		}
	}
}

// The same job may finish twice at once: both succeed.
func TestPublish_TwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Fail = func(op, _ string) error {
		if op == "put" {
			w.Fail = nil
			w.Put(t, "k", "mine")
		}
		return nil
	}
	if p, err := job.Publish(t.Context(), open(t, w), "k", "text/plain", text("mine")); err != nil || !p.Unchanged {
		t.Errorf("%+v, %v", p, err)
	}
	w = jobtest.New()
	b := open(t, w)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := job.Publish(t.Context(), b, "k", "text/plain", text(strings.Repeat("x\n", 9999))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPublish_WithoutPermissionToRead(t *testing.T) {
	t.Parallel()
	w := jobtest.New()
	w.Fail = func(op, key string) error {
		if op == "get" {
			return &providers.Error{Op: op, Key: key, Kind: providers.Denied}
		}
		return nil
	}
	b := open(t, w)
	for _, content := range []string{"one", "two"} {
		if _, err := job.Publish(t.Context(), b, "k", "text/plain", text(content)); err != nil || w.Get(t, "k") != content {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestPublish_Fails(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"get", "put"} {
		w := jobtest.New()
		w.Put(t, "k", "old")
		w.Fail = func(o, key string) error {
			if o == op {
				return &providers.Error{Op: o, Key: key, Kind: providers.Unavailable}
			}
			return nil
		}
		_, err := job.Publish(t.Context(), open(t, w), "k", "text/plain", text("new"))
		if !errors.Is(err, providers.Unavailable) || w.Get(t, "k") != "old" {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// If write fails, Publish returns its error and changes nothing.
func TestPublish_ContentFails(t *testing.T) {
	t.Parallel()
	lost := errors.New("a part is lost")
	for _, before := range []string{"", "old"} {
		w := jobtest.New()
		if before != "" {
			w.Put(t, "k", before)
		}
		calls := 0
		_, err := job.Publish(t.Context(), open(t, w), "k", "text/plain", func(out io.Writer) error {
			calls++
			if _, err := io.WriteString(out, "new"); err != nil {
				return err
			}
			return lost
		})
		if !errors.Is(err, lost) {
			t.Errorf("before %q: %v", before, err)
		}
		if keys := w.Keys(t, ""); before == "" && len(keys) > 0 || before != "" && w.Get(t, "k") != before {
			t.Errorf("before %q: the bucket holds %v", before, keys)
		}
	}
}

// panickingBucket reads one byte of what is stored in it, and panics.
type panickingBucket struct{ providers.Bucket }

func (panickingBucket) Put(
	_ context.Context, _ string, body io.Reader, _ providers.WriteOptions,
) (providers.Object, error) {
	_, _ = io.CopyN(io.Discard, body, 1)
	panic("boom")
}

// If the bucket panics, Put returns the panic as an error. It does not
// leave write behind, which would wait for a reader for ever.
func TestPut_BucketPanics(t *testing.T) {
	t.Parallel()
	var ended atomic.Bool
	_, err := job.Put(t.Context(), panickingBucket{}, "k", providers.WriteOptions{}, func(w io.Writer) error {
		defer ended.Store(true)
		return text(strings.Repeat("a line of text\n", 20_000))(w)
	})
	if !errors.Is(err, guard.ErrPanic) {
		t.Errorf("got %v", err)
	}
	if !ended.Load() {
		t.Error("write has not ended")
	}
}
