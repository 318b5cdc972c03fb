package azure

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Probe implements providers.Prober. It looks at the credentials before it
// makes any request, needs no right but those that the storage is to be used
// with, and stops at the first fault: later ones would only follow from it.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	ctx = few(ctx)
	p := &probe{bucket: b, need: need}
	failed := ""
	checks := make([]tasks.Check, 0, 7)
	for _, step := range []struct {
		id     string
		wanted bool
		run    func(context.Context) tasks.Check
	}{
		{"credentials", true, p.credentials},
		{"rights", len(p.excess()) > 0, p.rights},
		{"list", true, p.list},
		{"read", need.Read || need.KMS, p.read},
		{"write", need.Write, p.write},
		{"versions", need.Versions, p.versions},
		{"kms", need.KMS, p.kms},
	} {
		switch {
		case !step.wanted:
		case failed != "":
			checks = append(checks, tasks.Check{ID: step.id, Status: tasks.CheckSkipped, Evidence: "pointless after the failure of " + failed})
		default:
			c := step.run(ctx)
			checks = append(checks, c)
			if c.Status == tasks.CheckFail {
				failed = step.id
			}
		}
	}
	return checks
}

// probe is one diagnosis, and what its steps tell each other.
type probe struct {
	*bucket
	need   tasks.Need
	sample sample
	scope  string // the encryption scope of the blob that was read
	read1  bool   // a byte of a blob was read
}

// credentials is everything about them that shows without asking the blob
// service.
func (p *probe) credentials(ctx context.Context) tasks.Check {
	c := tasks.Check{ID: "credentials", Status: tasks.CheckOK, Evidence: "the account key has the right form"}
	switch a := p.access; {
	case a.sas.raw != "":
		c = inspection{sas: a.sas, need: p.need, service: a.service, now: time.Now()}.check()
	case a.token != nil:
		c = p.signIn(ctx)
	case a.anonymous() && p.need.Write:
		return *failing("AnonymousCannotWrite", "no container lets anonymous callers write", "Use method sas, with a SAS token whose permissions (sp) hold w (Write).")
	case a.anonymous():
		c.Evidence = "none are needed for a public container"
	}
	if c.Status == tasks.CheckOK && p.access.misfiled != "" {
		return tasks.Check{
			ID: "credentials", Status: tasks.CheckWarn, Code: "SecretInWrongField", Evidence: p.access.misfiled + "; it was used as such",
			Fix: "Choose the auth.method that fits, and give the secret in that method's field.",
		}
	}
	return c
}

// signIn fetches the token that all other requests are made with, a new one:
// a token that other buckets have used says nothing about whether the secret
// is still good.
func (p *probe) signIn(ctx context.Context) tasks.Check {
	if err := p.access.token.again(); err != nil {
		return p.check("credentials", err, "")
	}
	_, err := p.access.token.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{tokenScope}, EnableCAE: true})
	return p.check("credentials", err, "the sign-in service gave a token")
}

// excess is what the credentials may do beyond what jobs need, in words.
func (p *probe) excess() []string {
	if p.access.key != nil {
		return []string{"everything in the whole account, its other containers and its settings included"}
	}
	return p.access.sas.excess()
}

func (p *probe) rights(context.Context) tasks.Check {
	c := tasks.Check{ID: "rights", Status: tasks.CheckWarn, Code: "MoreThanNeeded", Evidence: "the credentials also allow " + driver.Printable(strings.Join(p.excess(), ", "))}
	c.Fix = "Make a SAS token with Blob, Container and Object and nothing but Read, Write and List (ss=b, srt=co, sp=rwl)."
	return c
}

func (b *bucket) check(id string, err error, evidence string) tasks.Check {
	if err == nil {
		return tasks.Check{ID: id, Status: tasks.CheckOK, Evidence: evidence}
	}
	var e *providers.Error
	if !errors.As(err, &e) {
		e = b.fault(id, "", err)
	}
	return tasks.Check{ID: id, Status: tasks.CheckFail, Code: e.Code, Evidence: e.Error(), Fix: e.Advice()}
}
