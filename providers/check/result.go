package check

import (
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The functions below make results without an ID, which Run adds. A
// code is for programs, evidence says what was seen, and a fix says
// what to do.

// OK makes the result of a check that found everything right.
func OK(evidence string) tasks.Check {
	return tasks.Check{Status: tasks.CheckOK, Evidence: evidence}
}

// Warn makes the result of a check that found what works now and will
// cause trouble later.
func Warn(code, evidence, fix string) tasks.Check {
	return tasks.Check{Status: tasks.CheckWarn, Code: code, Evidence: evidence, Fix: fix}
}

// Fail makes the result of a check that found a fault.
func Fail(code, evidence, fix string) tasks.Check {
	return tasks.Check{Status: tasks.CheckFail, Code: code, Evidence: evidence, Fix: fix}
}

// FailError makes the result of a check that an error made fail. A
// *providers.Error gives its code and its advice.
func FailError(err error) tasks.Check { return fromError(tasks.CheckFail, err) }

// Unknown makes the result of a check that could not find out
// anything. The code may be empty.
func Unknown(code, evidence string) tasks.Check {
	return tasks.Check{Status: tasks.CheckUnknown, Code: code, Evidence: evidence}
}

// UnknownError makes the result of a check that an error kept from
// finding out anything.
func UnknownError(err error) tasks.Check { return fromError(tasks.CheckUnknown, err) }

// Skip makes the result of a check that is not made for a reason of
// its own.
func Skip(reason string) tasks.Check {
	return tasks.Check{Status: tasks.CheckSkipped, Evidence: reason}
}

// SkipAfter makes the result of a check that is not made because the
// check with the given ID failed.
func SkipAfter(id string) tasks.Check { return Skip("needs " + id + ", which failed") }

func fromError(status tasks.CheckStatus, err error) tasks.Check {
	c := tasks.Check{Status: status, Evidence: err.Error()}
	var e *providers.Error
	if errors.As(err, &e) {
		c.Code, c.Fix = e.Code, e.Advice()
	}
	return c
}
