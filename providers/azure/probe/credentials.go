package probe

import (
	"context"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// credentials checks what can be known of the credentials without a
// request to the blob service.
func (p *probe) credentials(ctx context.Context) tasks.Check {
	c := p.credentialsByKind(ctx)
	if c.Status == tasks.CheckOK && p.Identity.Misplaced != "" {
		return check.Warn("SecretInWrongField", p.Identity.Misplaced+"; it was used as such",
			"Choose the auth.method that fits, and give the secret in that method's field.")
	}
	return c
}

func (p *probe) credentialsByKind(ctx context.Context) tasks.Check {
	switch p.Identity.Kind() {
	case azerror.SAS:
		return inspection{
			sas:     p.Identity.SAS,
			need:    p.need,
			service: p.Identity.Service,
			now:     time.Now(),
		}.check()
	case azerror.Token:
		if err := p.Identity.NewToken(ctx); err != nil {
			return check.FailError(p.Errors.Wrap("open", "", err))
		}
		return check.OK("the sign-in service gave a token")
	case azerror.AccountKey:
		return check.OK("the account key has the right form")
	}
	if p.need.Write {
		return check.Fail("AnonymousCannotWrite",
			"no container lets anonymous callers write",
			"Use method sas, with a SAS token whose permissions (sp) hold w (Write).")
	}
	return check.OK("none are needed for a public container")
}

// rightsCheck warns that the credentials allow more than jobs need.
func rightsCheck(excess []string) func(context.Context) tasks.Check {
	return func(context.Context) tasks.Check {
		return check.Warn("MoreThanNeeded",
			"the credentials also allow "+driver.Printable(strings.Join(excess, ", ")),
			"Make a SAS token with Blob, Container and Object and nothing but "+
				"Read, Write and List (ss=b, srt=co, sp=rwl).")
	}
}
