package client

import (
	"context"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
)

// ListPage reads one page of a listing. It checks that the answer is a
// listing of S3. The keys of the page are decoded.
func (c *Client) ListPage(
	ctx context.Context, in *sdk.ListObjectsV2Input, opts ...Option,
) (*sdk.ListObjectsV2Output, error) {
	page, err := Call(ctx, c, func(api *sdk.Client) (*sdk.ListObjectsV2Output, error) {
		return api.ListObjectsV2(ctx, in, opts...)
	})
	switch {
	case err != nil:
		return nil, err
	case page.Name == nil:
		return nil, s3error.NotS3("bucket name")
	}
	decodeKeys(page)
	return page, nil
}

// decodeKeys decodes the keys of a page, if the page says that they are
// encoded: some servers ignore EncodingType. A key that is not encoded
// as the page says stays as it is, so that it fails alone.
//
// SeaweedFS lists the pages of a bucket with versioning in the order of
// bytes, but sorts the objects inside each page by their encoded keys.
// decodeKeys undoes that.
func decodeKeys(page *sdk.ListObjectsV2Output) {
	if page.EncodingType != types.EncodingTypeUrl {
		for i, o := range page.Contents {
			page.Contents[i].Key = aws.String(restoreControls(aws.ToString(o.Key)))
		}
		return
	}
	sorted := slices.IsSortedFunc(page.Contents, compareKeys)
	for i, o := range page.Contents {
		if key, err := url.QueryUnescape(aws.ToString(o.Key)); err == nil {
			page.Contents[i].Key = aws.String(key)
		}
	}
	if sorted && !hasOrder(page.Contents) {
		slices.SortFunc(page.Contents, compareKeys)
	}
}

func compareKeys(a, b types.Object) int {
	return keyorder.Bytes.Compare(aws.ToString(a.Key), aws.ToString(b.Key))
}

// hasOrder reports whether the objects have one of the orders that
// stores list in.
func hasOrder(objects []types.Object) bool {
	left := keyorder.Unknown
	for i := 1; i < len(objects); i++ {
		left = left.Narrow(aws.ToString(objects[i-1].Key), aws.ToString(objects[i].Key))
	}
	return left != 0
}
