package egress

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const checkSignIn = "sign-in"

// DiagnoseBoth looks at the way to a bucket's endpoint, as Diagnose does, and
// then at the way to where its credentials are made, whose faults would
// otherwise look like credentials that are wrong. The second way is one
// check, sign-in, which tells the first fault on it; it is there more than
// once only where several things are to be warned of. A server that both ways
// lead to is looked at once. At most one check of all fails.
func (p Policy) DiagnoseBoth(ctx context.Context, endpoint string, s providers.SignIn) []tasks.Check {
	checks := p.Diagnose(ctx, endpoint)
	if s.URL == "" || server(s.URL) == server(endpoint) {
		return checks
	}
	// What keeps the workers from the bucket may keep them from everything.
	if slices.ContainsFunc(checks, func(c tasks.Check) bool { return c.Status == tasks.CheckFail }) {
		return append(checks, tasks.Check{ID: checkSignIn, Status: tasks.CheckSkipped, Evidence: "not looked at: there is no way to the bucket"})
	}
	return append(checks, sumSignIn(s, p.Diagnose(ctx, s.URL), checks)...)
}

// server is scheme, host and port of a URL, so that two can be compared.
func server(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return u.Scheme + "://" + strings.ToLower((&diagnosis{target: u}).hostPort())
}

// sumSignIn keeps what is wrong on the way, or says in one line that nothing is. A
// clock that differs from the bucket's as well has been told of.
func sumSignIn(s providers.SignIn, way, bucket []tasks.Check) []tasks.Check {
	host := "the sign-in endpoint"
	if u, err := url.Parse(s.URL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	var told []tasks.Check
	for _, c := range way {
		switch {
		case c.Status == tasks.CheckFail:
			c.Fix += " The sign-in endpoint " + s.Source + "."
		case c.Status != tasks.CheckWarn, c.Code == codeClockSkew && slices.ContainsFunc(bucket, skewed):
			continue
		}
		if !strings.Contains(c.Evidence, host) {
			c.Evidence = host + ": " + c.Evidence
		}
		told = append(told, c)
	}
	if len(told) == 0 {
		told = []tasks.Check{ok("the workers reach %s, where the credentials are made", host)}
	}
	for i := range told {
		told[i].ID = checkSignIn
	}
	return told
}

func skewed(c tasks.Check) bool { return c.Code == codeClockSkew }
