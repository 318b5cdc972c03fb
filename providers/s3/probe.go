package s3

import (
	"context"
	"errors"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The checks' IDs, in the order they are made.
const (
	checkCredentials = "credentials"
	checkRole        = "role"
	checkRegion      = "region"
	checkList        = "list"
	checkRead        = "read"
	checkWrite       = "write"
	checkVersions    = "versions"
	checkKMS         = "kms"
	checkExcess      = "excess"
)

// probe is one verification: what was found out so far, and whether to go on.
type probe struct {
	*bucket
	need   tasks.Need
	checks []tasks.Check
	// hopeless is why nothing more can be found out; empty to go on.
	hopeless string

	account string // the worker's, where it is known
	listed  tasks.CheckStatus
	first   firstObject
	key     encryption // of the object that was read
}

// Probe implements providers.Prober. It needs no right but those that the
// storage is to be used with. One fault fails one check: what cannot be told
// after it is skipped.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	p := &probe{bucket: b, need: need}
	assumed := b.who.role != nil
	for _, step := range []struct {
		id     string
		wanted bool
		run    func(context.Context) tasks.Check
	}{
		{checkCredentials, true, p.credentials},
		{checkRole, assumed, p.role},
		{checkRegion, true, p.region},
		{checkList, true, p.list},
		{checkRead, need.Read, p.read},
		{checkWrite, need.Write, p.write},
		{checkVersions, need.Versions, p.versions},
		{checkKMS, need.KMS, p.kms},
		{checkExcess, true, p.excess},
	} {
		switch {
		case !step.wanted:
		case p.hopeless != "":
			p.checks = append(p.checks, skipped(step.id, p.hopeless))
		default:
			p.checks = append(p.checks, step.run(ctx))
		}
	}
	return p.checks
}

func fewAttempts(o *sdk.Options) { o.Retryer = retryer(probeAttempts) }

func skipped(id, why string) tasks.Check {
	return tasks.Check{ID: id, Status: tasks.CheckSkipped, Evidence: why}
}

// failed reports whether a check failed.
func (p *probe) failed(id string) bool {
	for _, c := range p.checks {
		if c.ID == id {
			return c.Status == tasks.CheckFail
		}
	}
	return false
}

func (b *bucket) check(id string, err error, evidence string) tasks.Check {
	if err == nil {
		return tasks.Check{ID: id, Status: tasks.CheckOK, Evidence: evidence}
	}
	var e *providers.Error
	if !errors.As(err, &e) {
		e = b.fault(id, "", err)
	}
	return tasks.Check{ID: id, Status: tasks.CheckFail, Code: e.Code, Evidence: e.Error(), Fix: b.widened(e)}
}

// widened is the advice on a right for all the storage's objects instead of
// the one that was tried.
func (b *bucket) widened(e *providers.Error) string {
	fix := e.Advice()
	if e.Key == "" || !strings.HasPrefix(fix, "Allow ") {
		return fix
	}
	one := "arn:aws:s3:::" + b.storage.Bucket + "/" + e.Key
	return strings.Replace(fix, one, b.resource(e.Op), 1)
}
