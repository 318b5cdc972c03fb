package s3

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/s3/probe"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	_ providers.Bucket  = (*bucket)(nil)
	_ providers.Located = (*bucket)(nil)
	_ providers.Prober  = (*bucket)(nil)
	_ providers.Ordered = (*bucket)(nil)

	_ providers.ConditionChecker = (*bucket)(nil)
)

type bucket struct {
	*driver.KnownOrder // implements providers.Ordered
	location           // implements providers.Located

	errors s3error.Wrapper
}

// Delete implements providers.Bucket.
func (b *bucket) Delete(ctx context.Context, key string) error {
	return b.wrapError("delete", key, b.client.DeleteObject(ctx, key))
}

// Probe implements providers.Prober.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	return probe.Run(ctx, targetOf(b), need)
}

// CheckConditions implements providers.ConditionChecker.
func (b *bucket) CheckConditions(ctx context.Context) error {
	return probe.CheckConditions(ctx, targetOf(b))
}

func targetOf(b *bucket) probe.Target {
	return probe.Target{
		Storage: b.storage, Identity: b.identity, Client: b.client, Errors: b.errors,
	}
}

// Close implements providers.Bucket. It does nothing: connections
// belong to the opener's client.
func (b *bucket) Close() error { return nil }

// wrapError makes the error of an operation; nil stays nil.
func (b *bucket) wrapError(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return b.errors.Wrap(op, key, err)
}

func objectOf(key string, size *int64, etag *string, modified *time.Time) providers.Object {
	return providers.Object{
		Key: key, Size: aws.ToInt64(size), ETag: unquote(etag), ModTime: aws.ToTime(modified),
	}
}

// checkObject returns an error for an answer that describes no object:
// S3 always sends an ETag.
func checkObject(o providers.Object) error {
	if o.ETag == "" {
		return s3error.NotS3("ETag")
	}
	return driver.CheckObject(o)
}

func unquote(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

// quote returns the header of a precondition; nil for an empty ETag.
func quote(etag string) *string {
	if etag == "" {
		return nil
	}
	return aws.String(`"` + etag + `"`)
}
