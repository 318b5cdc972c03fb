package job_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	var p job.Progress
	p.Expect(4)
	p.Done(10)
	p.Done(0)
	p.Reject(tasks.ObjectError{Key: "a", Code: "x"})
	p.Reject(tasks.ObjectError{Key: "b", Code: "x", Warning: true})
	want := tasks.Progress{Objects: 4, ObjectsTotal: 4, Bytes: 10, Failed: 2, Warnings: 1}
	if diff := cmp.Diff(want, p.Counts()); diff != "" {
		t.Error(diff)
	}
	errs := p.Errors()
	errs[0].Key = "changed"
	if got := p.Errors(); len(got) != 2 || got[0].Key != "a" {
		t.Errorf("got %v", got)
	}
}
