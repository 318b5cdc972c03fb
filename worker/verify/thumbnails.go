package verify

import (
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// thumbnailChecks returns the checks of the second storage, with the
// prefix of their IDs. If a check has failed in both storages for the
// same reason, it is skipped in the second.
func thumbnailChecks(first, second *verification) []tasks.Check {
	checks := make([]tasks.Check, len(second.checks))
	for i, c := range second.checks {
		if check.IsFailure(c) && failsAlike(first, second, c) {
			id := c.ID
			c = check.Skip("fails like " + id + " of the first storage")
			c.ID = id
		}
		c.ID = tasks.CheckIDThumbnails + c.ID
		checks[i] = c
	}
	return checks
}

// failsAlike reports whether a check of the second storage fails in
// the first one too, with the same code, and looks at what the
// storages share.
func failsAlike(first, second *verification, c tasks.Check) bool {
	for _, other := range first.checks {
		if check.IsFailure(other) && other.ID == c.ID && other.Code == c.Code {
			return shares(first.storage, second.storage, c.ID)
		}
	}
	return false
}

// shares reports whether two storages have in common what a check
// looks at.
func shares(a, b tasks.Storage, id string) bool {
	if a.Provider != b.Provider {
		return false
	}
	server := a.Endpoint == b.Endpoint && a.Region == b.Region
	switch id {
	case tasks.CheckIDResolve, tasks.CheckIDEgress, tasks.CheckIDConnect, tasks.CheckIDTLS,
		tasks.CheckIDClock:
		return server && a.Account == b.Account
	case tasks.CheckIDSignIn:
		// It depends on the cloud, the region and the operator's
		// settings, but not on whose credentials are used.
		return server && a.Auth.Method == b.Auth.Method
	case tasks.CheckIDSettings, tasks.CheckIDCredentials, tasks.CheckIDRole:
		return a.Auth == b.Auth
	default:
		// Listing, reading and writing depend on the bucket and the
		// prefix.
		return a.Same(b) && a.Auth == b.Auth && a.Prefix == b.Prefix
	}
}
