package verify

import (
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// codeTimeout is the code of a check that ran out of time.
const codeTimeout = "timeout"

// markTimeout marks the first failed or unknown check without a
// specific code as timed out, and skips the checks after it. A
// failure with a specific code before it is what the user must mend,
// so then nothing changes.
func markTimeout(checks []tasks.Check) {
	at := slices.IndexFunc(checks, func(c tasks.Check) bool {
		return check.IsFailure(c) || c.Status == tasks.CheckUnknown && isUnspecific(c)
	})
	if at < 0 || !isUnspecific(checks[at]) {
		return
	}
	timedOut := &checks[at]
	timedOut.Status = tasks.CheckFail
	if timedOut.Code != codeTimeout {
		timedOut.Code = codeTimeout
		timedOut.Fix = "Check that the endpoint answers the workers quickly, then verify again: " +
			"a verification takes 20 seconds at most."
	}
	for i := at + 1; i < len(checks); i++ {
		id := checks[i].ID
		checks[i] = check.SkipAfter(timedOut.ID)
		checks[i].ID = id
	}
}

// isUnspecific reports whether a check's code says only that no
// answer came.
func isUnspecific(c tasks.Check) bool {
	return slices.Contains([]string{"", codeTimeout, string(providers.Unavailable)}, c.Code)
}
