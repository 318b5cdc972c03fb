// Package probe makes the checks of verify-connection on an S3 bucket.
// Checks that share what they find are methods of one type, in a file
// of its own.
//
// The checks need only the rights that the jobs need, and they store
// nothing. One fault fails one check. Package check runs them, and
// package s3error gives the advice.
package probe

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/identity"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Target is the bucket that is checked.
type Target struct {
	Storage  tasks.Storage
	Identity identity.Identity
	Client   *client.Client
	Errors   s3error.Wrapper
}

// Run makes the checks that need asks for, in order, and returns a
// result for each.
func Run(ctx context.Context, t Target, need tasks.Need) []tasks.Check {
	listing := &listingChecks{Target: t}
	credentials := &credentialsChecks{Target: t, listing: listing}
	reading := &readChecks{Target: t, listing: listing, writes: need.Write}
	writing := writeCheck{t}
	versions := versionsCheck{t}
	rights := rightsCheck{Target: t, need: need, reading: reading}

	return check.Run(ctx, []check.Step{
		{ID: tasks.CheckIDCredentials, Wanted: true, Run: credentials.caller},
		{ID: tasks.CheckIDRole, Wanted: t.Identity.Role != nil, Run: credentials.role},
		{ID: tasks.CheckIDRegion, Wanted: true, Run: listing.region},
		{ID: tasks.CheckIDList, Wanted: true, Run: listing.list, Stops: listing.stops},
		{ID: tasks.CheckIDRead, Wanted: need.Read, Run: reading.read, Stops: check.Never},
		{ID: tasks.CheckIDWrite, Wanted: need.Write, Run: writing.write, Stops: check.Never},
		{ID: tasks.CheckIDVersions, Wanted: need.Versions, Run: versions.list, Stops: check.Never},
		{ID: tasks.CheckIDKMS, Wanted: need.KMS, Run: reading.kms, Stops: check.Never},
		{ID: tasks.CheckIDRights, Wanted: true, Run: rights.run},
	})
}

// maxAttempts is lower than for jobs, because a person waits for the
// answer.
const maxAttempts = 2

// fewAttempts is the option of every call that a check makes.
func fewAttempts(o *sdk.Options) { o.Retryer = s3error.Retryer(maxAttempts) }
