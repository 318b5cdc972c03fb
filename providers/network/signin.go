package network

import (
	"context"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Diagnose checks the way to a bucket's endpoint: resolve, egress,
// connect, tls, clock. Then it checks the way to the server that
// creates the credentials, because a fault there would look like
// wrong credentials. That way is one check, sign-in, with the first
// fault on it; only if there are several warnings there are several
// such checks. If both ways lead to one server, it is checked once.
// At most one check of all fails.
func (n *Network) Diagnose(ctx context.Context, endpoint string, s providers.SignIn) []tasks.Check {
	checks := n.diagnose(ctx, endpoint)
	if s.URL == "" || isSameServer(s.URL, endpoint) {
		return checks
	}
	if i := slices.IndexFunc(checks, check.IsFailure); i >= 0 {
		// What keeps the workers from the bucket may keep them from
		// everything.
		skipped := check.SkipAfter(checks[i].ID)
		skipped.ID = tasks.CheckIDSignIn
		return append(checks, skipped)
	}
	return append(checks, signInChecks(s, n.diagnose(ctx, s.URL), checks)...)
}

// signInChecks reduces the checks of the way to the sign-in server to
// those that found something, or to one that says that all is well.
// It leaves out a wrong clock that the checks of the bucket have
// found too.
func signInChecks(s providers.SignIn, way, bucket []tasks.Check) []tasks.Check {
	host := "the sign-in endpoint"
	if at, ok := parseEndpoint(s.URL); ok {
		host = at.host
	}
	var found []tasks.Check
	for _, c := range way {
		switch {
		case check.IsFailure(c):
			c.Fix += " The sign-in endpoint " + s.Source + "."
		case c.Status != tasks.CheckWarn, isSkew(c) && slices.ContainsFunc(bucket, isSkew):
			continue
		}
		if !strings.Contains(c.Evidence, host) {
			c.Evidence = host + ": " + c.Evidence
		}
		found = append(found, c)
	}
	if len(found) == 0 {
		reached := check.OK("the workers reach " + host + ", where the credentials are made")
		found = []tasks.Check{reached}
	}
	for i := range found {
		found[i].ID = tasks.CheckIDSignIn
	}
	return found
}

func isSkew(c tasks.Check) bool { return c.Code == codeClockSkew }
