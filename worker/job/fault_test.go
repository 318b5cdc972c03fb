package job_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

type codedError struct{}

func (codedError) Error() string      { return "it is broken" }
func (codedError) ObjectCode() string { return "corrupt-image" }

func TestFault(t *testing.T) {
	t.Parallel()
	of := func(k providers.Kind) error { return &providers.Error{Op: "get", Key: "a", Kind: k} }
	for _, c := range []struct {
		err  error
		code string // empty: about the job
	}{
		{codedError{}, "corrupt-image"}, {fmt.Errorf("wrapped: %w", codedError{}), "corrupt-image"},
		{of(providers.NotFound), job.CodeNotFound}, {of(providers.Conflict), job.CodeChanged},
		{of(providers.Denied), job.CodeDenied}, {of(providers.Invalid), job.CodeInvalid},
		{of(providers.Unauthenticated), ""}, {of(providers.Throttled), ""}, {of(providers.Unavailable), ""}, {of(providers.Blocked), ""},
		{&providers.Error{Op: "list", Bucket: "b", Kind: providers.NotFound}, ""},
		{&providers.Error{Op: "put", Key: "t", Kind: providers.Invalid}, job.CodeInvalid},
		{&providers.Error{Op: "put", Key: "t", Kind: providers.Denied}, ""}, {&providers.Error{Op: "put", Key: "t", Kind: providers.NotFound}, ""},
		{context.Canceled, ""}, {errors.New("other"), ""}, {nil, ""},
	} {
		f, ok := job.Fault("a", c.err)
		if ok != (c.code != "") || f.Code != c.code || ok && (f.Key != "a" || f.Message == "") {
			t.Errorf("%v: %+v, %v", c.err, f, ok)
		}
	}
}

func TestDenials(t *testing.T) {
	t.Parallel()
	denied := &tasks.ObjectError{Code: job.CodeDenied}
	first, later := job.Shard{}, job.Shard{After: "a"}
	cause := errors.New("denied")
	for name, c := range map[string]struct {
		denied, others int
		shard          job.Shard
		want           bool
	}{
		"nothing was asked":           {0, 0, first, false},
		"all of the first shard":      {1, 0, first, true},
		"all but one":                 {99, 1, first, false},
		"a few of a later shard":      {9, 0, later, false},
		"a whole later shard":         {10, 0, later, true},
		"a whole later shard but one": {10, 1, later, false},
		"nothing denied in the first": {0, 5, first, false},
	} {
		var d job.Denials
		for range c.denied {
			d.Note(denied, cause)
		}
		for i := range c.others {
			d.Note(map[bool]*tasks.ObjectError{true: {Code: "corrupt-image"}, false: nil}[i%2 == 0], nil)
		}
		if err := d.Err(c.shard); (err != nil) != c.want || err != nil && !errors.Is(err, cause) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var p job.Progress
	p.Expect(3)
	p.Done(10)
	p.Done(0)
	p.Reject(tasks.ObjectError{Key: "a", Code: "x"})
	want := tasks.Progress{Objects: 3, ObjectsTotal: 3, Bytes: 10, Failed: 1}
	if diff := cmp.Diff(want, p.Counts()); diff != "" {
		t.Error(diff)
	}
	errs := p.Errors()
	errs[0].Key = "changed"
	if got := p.Errors(); len(got) != 1 || got[0].Key != "a" {
		t.Errorf("got %v", got)
	}
}
