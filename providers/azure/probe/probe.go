// Package probe makes the checks of verify-connection on a container.
//
// It looks at the credentials before it makes any request. It needs no
// right but those that the storage is to be used with, and it stores
// nothing. Package check runs the checks, and azerror gives the advice.
package probe

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/azure/identity"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Target is the container to check, and what its requests are made with.
type Target struct {
	Storage  tasks.Storage
	Identity *identity.Identity
	Client   *container.Client
	Errors   azerror.Wrapper
	// Delete removes an object. It is called only for an object that the
	// probe has stored against all expectation.
	Delete func(ctx context.Context, key string) error
}

// Run makes the checks that need asks for, and returns a result for each.
// After a check that failed the others are skipped: they would fail for
// the same reason.
func Run(ctx context.Context, t Target, need tasks.Need) []tasks.Check {
	p := &probe{Target: t, need: need}
	excess := t.Identity.Excess()
	return check.Run(client.WithFewAttempts(ctx), []check.Step{
		{ID: tasks.CheckIDCredentials, Wanted: true, Run: p.credentials},
		{ID: tasks.CheckIDList, Wanted: true, Run: p.list},
		{ID: tasks.CheckIDRead, Wanted: need.Read || need.KMS, Run: p.read},
		{ID: tasks.CheckIDWrite, Wanted: need.Write, Run: p.write},
		{ID: tasks.CheckIDVersions, Wanted: need.Versions, Run: p.versions},
		{ID: tasks.CheckIDKMS, Wanted: need.KMS, Run: p.kms},
		{ID: tasks.CheckIDRights, Wanted: len(excess) > 0, Run: rightsCheck(excess)},
	})
}

// probe holds what the checks of one verification find out for each
// other.
type probe struct {
	Target
	need tasks.Need

	sample   sample
	readable bool   // a byte of a blob was read
	scope    string // the encryption scope of that blob; may be empty
}
