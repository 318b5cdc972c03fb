// Package probe makes the checks of verify-connection on a bucket.
//
// It needs no right but those that the storage is to be used with, and it
// stores nothing. Package check runs the checks, and gcserror gives the
// advice.
package probe

import (
	"context"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/gcs/client"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/providers/gcs/identity"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// maxAttempts is small because a user waits for the answer.
const maxAttempts = 2

// Target is the bucket to check, and what its requests are made with.
type Target struct {
	Storage  tasks.Storage
	Identity *identity.Identity
	Client   *client.Client
	Errors   gcserror.Wrapper
	// Delete removes an object. It is called only for an object that the
	// probe has stored against all expectation.
	Delete func(ctx context.Context, key string) error
}

// Run makes the checks that need asks for, and returns a result for each.
// After a check that failed the others are skipped: they would fail for
// the same reason.
func Run(ctx context.Context, t Target, need tasks.Need) []tasks.Check {
	p := &probe{Target: t, need: need}
	return check.Run(ctx, []check.Step{
		{ID: tasks.CheckIDCredentials, Wanted: true, Run: p.credentials},
		{ID: tasks.CheckIDProject, Wanted: t.Storage.Project != "", Run: p.project},
		{ID: tasks.CheckIDList, Wanted: true, Run: p.list},
		{ID: tasks.CheckIDRead, Wanted: need.Read, Run: p.read},
		{ID: tasks.CheckIDKMS, Wanted: need.KMS, Run: p.kms},
		{ID: tasks.CheckIDWrite, Wanted: need.Write, Run: p.write},
		{ID: tasks.CheckIDVersions, Wanted: need.Versions, Run: p.versions},
		{ID: tasks.CheckIDRights, Wanted: true, Run: p.rights},
	})
}

// probe holds what the checks of one verification find out for each
// other.
type probe struct {
	Target
	need tasks.Need

	sample  *sample // nil until the bucket was listed
	granted *grants // nil until Google was asked for the rights
}

// call makes a request with few attempts.
func (p *probe) call(do func(*storage.BucketHandle) error) error {
	return p.Client.Call(func(h *storage.BucketHandle) error {
		return do(h.Retryer(storage.WithMaxAttempts(maxAttempts)))
	})
}

// credentials fetches a token.
func (p *probe) credentials(ctx context.Context) tasks.Check {
	if p.Identity.IsAnonymous() {
		return check.OK("anonymous: no credentials are sent")
	}
	if err := p.Identity.NewToken(ctx); err != nil {
		return check.FailError(p.Errors.Wrap("open", "", err))
	}
	if account := p.Identity.Account(); account != "" {
		return check.OK(account + " got a token")
	}
	return check.OK("the worker's own identity got a token")
}
