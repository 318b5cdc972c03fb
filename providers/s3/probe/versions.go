package probe

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// versionsCheck checks that old versions can be listed.
type versionsCheck struct{ Target }

// list lists one old version.
func (p versionsCheck) list(ctx context.Context) tasks.Check {
	in := &sdk.ListObjectVersionsInput{Bucket: p.Client.Bucket(), MaxKeys: aws.Int32(1)}
	if p.Storage.Prefix != "" {
		in.Prefix = aws.String(p.Storage.Prefix)
	}
	listVersions := func(api *sdk.Client) (*sdk.ListObjectVersionsOutput, error) {
		return api.ListObjectVersions(ctx, in, fewAttempts)
	}
	if _, err := client.Call(ctx, p.Client, listVersions); err != nil {
		return check.FailError(p.Errors.Wrap("versions", "", err))
	}
	return check.OK("old versions can be listed")
}
