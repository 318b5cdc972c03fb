package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// failed reports whether a check with one of the IDs failed; without IDs, whether any did.
func failed(checks []tasks.Check, ids ...string) bool {
	return slices.ContainsFunc(checks, func(c tasks.Check) bool {
		return c.Status == tasks.CheckFail && (len(ids) == 0 || slices.Contains(ids, c.ID))
	})
}

// verdict sums the checks up in one line.
func verdict(j tasks.VerifyConnection, checks []tasks.Check) string {
	by := map[tasks.CheckStatus][]string{}
	for _, c := range checks {
		if !slices.Contains(by[c.Status], c.ID) {
			by[c.Status] = append(by[c.Status], c.ID)
		}
	}
	where := j.Storage.String()
	switch {
	case len(by[tasks.CheckFail]) > 0:
		return fmt.Sprintf("%s does not work: %s failed", where, list(by[tasks.CheckFail]))
	case len(by[tasks.CheckUnknown]) > 0:
		return fmt.Sprintf("%s works as far as could be found out; not known: %s", where, list(by[tasks.CheckUnknown]))
	case len(by[tasks.CheckWarn]) > 0:
		return fmt.Sprintf("%s works, with a warning about %s", where, list(by[tasks.CheckWarn]))
	}
	return where + " works"
}

func list(ids []string) string { return strings.Join(ids, ", ") }
