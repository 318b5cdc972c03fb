package verify

import "github.com/stevedore-jobs/stevedore/tasks"

// thumbnails are the checks of the second storage. What fails there for the
// same reason as in the first is told once.
func thumbnails(first, second *visit) []tasks.Check {
	checks := make([]tasks.Check, len(second.checks))
	for i, c := range second.checks {
		if c.Status == tasks.CheckFail && sameFault(first, second, c) {
			c = tasks.Check{ID: c.ID, Status: tasks.CheckSkipped, Evidence: "fails like " + c.ID + " of the first storage"}
		}
		c.ID = "thumbnails." + c.ID
		checks[i] = c
	}
	return checks
}

// sameFault reports whether a check failed in both storages for what they
// share. What is listed, read and written is each bucket's own, unless it is
// one bucket with one prefix.
func sameFault(first, second *visit, c tasks.Check) bool {
	a, b := first.storage, second.storage
	for _, other := range first.checks {
		if other.Status != tasks.CheckFail || other.ID != c.ID || other.Code != c.Code {
			continue
		}
		switch c.ID {
		case "resolve", "egress", "connect", "tls", "clock":
			return a.Provider == b.Provider && a.Endpoint == b.Endpoint && a.Account == b.Account && a.Region == b.Region
		case "sign-in": // at the cloud's, in the region, or where the operator says; whoever signs in
			return a.Provider == b.Provider && a.Endpoint == b.Endpoint && a.Auth.Method == b.Auth.Method && a.Region == b.Region
		case checkSettings, "credentials", "role":
			return a.Provider == b.Provider && a.Auth == b.Auth
		default:
			return a.Same(b) && a.Auth == b.Auth && a.Prefix == b.Prefix
		}
	}
	return false
}
