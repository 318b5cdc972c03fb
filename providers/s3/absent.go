package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stevedore-jobs/stevedore/providers"
)

// absent tells a missing object from a forbidden one. Who may list only a
// prefix (condition s3:prefix) is told AccessDenied for a key that does not
// exist, because a GET carries no prefix: AWS hides what it thinks one may
// not list. A listing of just that key finds out.
func (b *bucket) absent(ctx context.Context, key string, e *providers.Error) error {
	if e.Kind != providers.Denied || e.Op == opAssume {
		return e
	}
	in := b.listInput(providers.ListOptions{Prefix: key})
	in.MaxKeys = aws.Int32(1)
	out, err := b.listPage(ctx, in)
	if err != nil {
		return e
	}
	for _, o := range out.Contents {
		if name, err := keyOf(out, o); err != nil || name == key {
			return e
		}
	}
	return &providers.Error{
		Op: e.Op, Bucket: e.Bucket, Key: key, Kind: providers.NotFound, Code: "NoSuchKey", Status: e.Status, RequestID: e.RequestID,
		Detail: "the listing has no such key",
	}
}
