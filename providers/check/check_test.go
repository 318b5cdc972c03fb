package check_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func returns(c tasks.Check) func(context.Context) tasks.Check {
	return func(context.Context) tasks.Check { return c }
}

func TestRun_SkipsAfterAFailure(t *testing.T) {
	t.Parallel()
	got := check.Run(t.Context(), []check.Step{
		{ID: "credentials", Wanted: true, Run: returns(check.OK("signed in"))},
		{ID: "read", Wanted: false, Run: returns(check.OK("never made"))},
		{ID: "list", Wanted: true, Run: returns(check.Fail("Odd", "seen", "do"))},
		{ID: "write", Wanted: true, Run: returns(check.OK("never made"))},
		{ID: "versions", Wanted: false, Run: returns(check.OK("never made"))},
		{ID: "kms", Wanted: true, Run: returns(check.Fail("Other", "seen", "do"))},
	})
	want := []tasks.Check{
		{ID: "credentials", Status: tasks.CheckOK, Evidence: "signed in"},
		{ID: "list", Status: tasks.CheckFail, Code: "Odd", Evidence: "seen", Fix: "do"},
		{ID: "write", Status: tasks.CheckSkipped, Evidence: "needs list, which failed"},
		{ID: "kms", Status: tasks.CheckSkipped, Evidence: "needs list, which failed"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A step can go on after its failure, and stop without one.
func TestRun_StepsDecideWhenToStop(t *testing.T) {
	t.Parallel()
	fail, warn := returns(check.Fail("", "seen", "do")), returns(check.Warn("", "seen", "do"))
	isWarning := func(c tasks.Check) bool { return c.Status == tasks.CheckWarn }
	var got []tasks.CheckStatus
	for _, c := range check.Run(t.Context(), []check.Step{
		{ID: "read", Wanted: true, Run: fail, Stops: check.Never},
		{ID: "write", Wanted: true, Run: warn, Stops: isWarning},
		{ID: "kms", Wanted: true, Run: fail},
	}) {
		got = append(got, c.Status)
	}
	if diff := cmp.Diff([]tasks.CheckStatus{tasks.CheckFail, tasks.CheckWarn, tasks.CheckSkipped}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFailError(t *testing.T) {
	t.Parallel()
	e := &providers.Error{
		Op: "list", Bucket: "b", Kind: providers.Denied, Code: "AccessDenied", Fix: "Allow it.",
	}
	for _, c := range []struct {
		got, want tasks.Check
	}{
		{check.FailError(e), tasks.Check{Status: tasks.CheckFail, Code: "AccessDenied", Evidence: e.Error(), Fix: "Allow it."}},
		{check.UnknownError(e), tasks.Check{Status: tasks.CheckUnknown, Code: "AccessDenied", Evidence: e.Error(), Fix: "Allow it."}},
		{check.FailError(errors.New("odd")), tasks.Check{Status: tasks.CheckFail, Evidence: "odd"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
}
