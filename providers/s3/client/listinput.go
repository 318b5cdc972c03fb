package client

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// directorySuffix ends the names of directory buckets (S3 Express One
// Zone), and of no others.
const directorySuffix = "--x-s3"

// pointSuffix ends the names of access points of directory buckets.
const pointSuffix = "--xa-s3"

// NeedsCredentials reports whether no request to the bucket can be
// anonymous: for a directory bucket the SDK opens a session with the
// credentials.
func (c *Client) NeedsCredentials() bool {
	return c.ListsDirectories() || strings.HasSuffix(c.storage.Bucket, pointSuffix)
}

// ListsDirectories reports whether the bucket is a directory bucket. It
// lists directory by directory, cannot start at a key, and takes only a
// directory with a slash at its end as prefix.
func (c *Client) ListsDirectories() bool {
	return strings.HasSuffix(c.storage.Bucket, directorySuffix)
}

// KeyOrder returns the orders in which the bucket may list its keys.
// AWS promises the order of bytes for all buckets but directory
// buckets. Other servers must show their order.
func (c *Client) KeyOrder() keyorder.Order {
	if c.storage.Endpoint == "" && !c.ListsDirectories() {
		return keyorder.Bytes
	}
	return keyorder.Unknown
}

// ListInput makes the input of a listing's first page. From a directory
// bucket it asks for the whole directory that the prefix is in.
func (c *Client) ListInput(opts providers.ListOptions) *sdk.ListObjectsV2Input {
	in := &sdk.ListObjectsV2Input{
		Bucket:       c.Bucket(),
		EncodingType: types.EncodingTypeUrl, // keys may hold characters that XML cannot
	}
	if c.ListsDirectories() {
		opts.After, opts.Prefix = "", opts.Prefix[:strings.LastIndexByte(opts.Prefix, '/')+1]
	}
	if opts.Prefix != "" {
		in.Prefix = aws.String(opts.Prefix)
	}
	if opts.After != "" {
		in.StartAfter = aws.String(opts.After)
	}
	return in
}
