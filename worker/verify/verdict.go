package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// anyFailed reports whether any check failed.
func anyFailed(checks []tasks.Check) bool { return slices.ContainsFunc(checks, check.IsFailure) }

// verdict sums up the checks in one line: the first that failed, how
// many others failed, and which of them warn.
func verdict(j tasks.VerifyConnection, checks []tasks.Check) string {
	by := map[tasks.CheckStatus][]tasks.Check{}
	for _, c := range checks {
		by[c.Status] = append(by[c.Status], c)
	}
	text := j.Storage.String()
	switch failed := by[tasks.CheckFail]; {
	case len(failed) > 0:
		text += " does not work: " + failed[0].ID + " failed"
		if failed[0].Code != "" {
			text += " (" + failed[0].Code + ")"
		}
		if more := len(failed) - 1; more > 0 {
			text += fmt.Sprintf(", and %d more", more)
		}
	case len(by[tasks.CheckUnknown]) > 0:
		text += " works as far as could be found out; not known: " + ids(by[tasks.CheckUnknown])
	default:
		text += " works"
	}

	switch warnings := by[tasks.CheckWarn]; len(warnings) {
	case 0:
		return text
	case 1:
		return text + "; 1 warning: " + ids(warnings)
	default:
		return text + fmt.Sprintf("; %d warnings: %s", len(warnings), ids(warnings))
	}
}

// ids lists the checks' IDs, each once.
func ids(checks []tasks.Check) string {
	var all []string
	for _, c := range checks {
		if !slices.Contains(all, c.ID) {
			all = append(all, c.ID)
		}
	}
	return strings.Join(all, ", ")
}
