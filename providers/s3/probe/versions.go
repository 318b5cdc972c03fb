package probe

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	maxVersions = 20 // to look at
	// noVersion is the version ID of an object that was stored while
	// versioning was off.
	noVersion = "null"
)

// versionsCheck checks that old versions can be listed, and that the
// bucket keeps any.
type versionsCheck struct{ Target }

// list lists a few versions. Buckets without versioning list their
// objects too, so a listing alone proves nothing.
func (p versionsCheck) list(ctx context.Context) tasks.Check {
	in := &sdk.ListObjectVersionsInput{Bucket: p.Client.Bucket(), MaxKeys: aws.Int32(maxVersions)}
	if p.Storage.Prefix != "" {
		in.Prefix = aws.String(p.Storage.Prefix)
	}
	listVersions := func(api *sdk.Client) (*sdk.ListObjectVersionsOutput, error) {
		return api.ListObjectVersions(ctx, in, fewAttempts)
	}
	page, err := client.Call(ctx, p.Client, listVersions)
	switch {
	case err != nil:
		return check.FailError(p.Errors.Wrap("versions", "", err))
	case p.isOff(ctx, page):
		return check.Warn("VersioningDisabled",
			"old versions can be listed, but the bucket keeps none",
			"Switch versioning on in the bucket's properties: aws s3api put-bucket-versioning "+
				"--bucket "+p.Storage.Bucket+" --versioning-configuration Status=Enabled")
	}
	return check.OK("old versions can be listed")
}

// isOff reports whether versioning was never on. Those who may not ask
// for the bucket's setting see it by objects that have no version.
func (p versionsCheck) isOff(ctx context.Context, page *sdk.ListObjectVersionsOutput) bool {
	hasVersion := func(v types.ObjectVersion) bool {
		id := aws.ToString(v.VersionId)
		return id != "" && id != noVersion
	}
	if len(page.DeleteMarkers) > 0 || slices.ContainsFunc(page.Versions, hasVersion) {
		return false
	}
	setting := func(api *sdk.Client) (*sdk.GetBucketVersioningOutput, error) {
		in := &sdk.GetBucketVersioningInput{Bucket: p.Client.Bucket()}
		return api.GetBucketVersioning(ctx, in, fewAttempts)
	}
	if out, err := client.Call(ctx, p.Client, setting); err == nil {
		return out.Status == ""
	}
	return len(page.Versions) > 0
}
