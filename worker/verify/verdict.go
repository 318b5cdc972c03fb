package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// failed reports whether any check failed.
func failed(checks []tasks.Check) bool {
	return slices.ContainsFunc(checks, func(c tasks.Check) bool { return c.Status == tasks.CheckFail })
}

// verdict sums the checks up in one line: the first that failed, how many
// more did, and how many warn.
func verdict(j tasks.VerifyConnection, checks []tasks.Check) string {
	by := map[tasks.CheckStatus][]tasks.Check{}
	for _, c := range checks {
		by[c.Status] = append(by[c.Status], c)
	}
	text := j.Storage.String()
	switch fails := by[tasks.CheckFail]; {
	case len(fails) > 0:
		text += " does not work: " + fails[0].ID + " failed"
		if fails[0].Code != "" {
			text += " (" + fails[0].Code + ")"
		}
		if more := len(fails) - 1; more > 0 {
			text += fmt.Sprintf(", and %d more", more)
		}
	case len(by[tasks.CheckUnknown]) > 0:
		text += " works as far as could be found out; not known: " + ids(by[tasks.CheckUnknown])
	default:
		text += " works"
	}
	switch warns := by[tasks.CheckWarn]; len(warns) {
	case 0:
		return text
	case 1:
		return text + "; 1 warning: " + ids(warns)
	default:
		return text + fmt.Sprintf("; %d warnings: %s", len(warns), ids(warns))
	}
}

// ids are the checks' IDs, each once.
func ids(checks []tasks.Check) string {
	var all []string
	for _, c := range checks {
		if !slices.Contains(all, c.ID) {
			all = append(all, c.ID)
		}
	}
	return strings.Join(all, ", ")
}
