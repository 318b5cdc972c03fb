package s3

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type bucket struct {
	storage tasks.Storage
	opener  *Opener
	options sdk.Options
	who     identity

	turn   chan struct{}              // holds one token while somebody makes the first client
	client atomic.Pointer[sdk.Client] // replaced when the bucket turns out to be in another region
}

var (
	_ providers.Opener  = (*Opener)(nil)
	_ providers.Bucket  = (*bucket)(nil)
	_ providers.Prober  = (*bucket)(nil)
	_ providers.Located = (*bucket)(nil)
)

// Stat implements providers.Bucket.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	o, err := b.head(ctx, key)
	if k := providers.KindOf(err); k != providers.Denied && k != providers.Invalid {
		return o, err
	}
	// The answer to a HEAD has no body, so it never says what is wrong with a
	// region, a key or a right. A GET does.
	before := b.client.Load()
	out, told := b.get(ctx, &sdk.GetObjectInput{Bucket: b.name(), Key: aws.String(key), Range: aws.String("bytes=0-0")})
	if told == nil {
		_ = out.Body.Close()
	}
	if b.client.Load() != before { // it was the region
		if o, err := b.head(ctx, key); err == nil {
			return o, nil
		}
	}
	if told != nil {
		return providers.Object{}, b.absent(ctx, key, b.fault("stat", key, told))
	}
	return o, err
}

func (b *bucket) head(ctx context.Context, key string) (providers.Object, error) {
	out, err := call(ctx, b, func(api *sdk.Client) (*sdk.HeadObjectOutput, error) {
		return api.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: b.name(), Key: aws.String(key)})
	})
	if err != nil {
		return providers.Object{}, b.fail("stat", key, err)
	}
	o := objectOf(key, out.ContentLength, out.ETag, out.LastModified)
	if o.ETag == "" {
		return providers.Object{}, b.fail("stat", key, notS3("ETag"))
	}
	return o, nil
}

// Delete implements providers.Bucket.
func (b *bucket) Delete(ctx context.Context, key string) error {
	_, err := call(ctx, b, func(api *sdk.Client) (*sdk.DeleteObjectOutput, error) {
		return api.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: b.name(), Key: aws.String(key)})
	})
	err = b.fail("delete", key, err)
	var e *providers.Error
	if errors.As(err, &e) && e.Kind == providers.NotFound && e.Code != "NoSuchBucket" {
		return nil // AWS says 204 for a missing key, some servers 404
	}
	return err
}

// Close implements providers.Bucket. Connections belong to the opener's
// client.
func (b *bucket) Close() error { return nil }

func (b *bucket) name() *string { return aws.String(b.storage.Bucket) }

// fail makes the *providers.Error of an operation; nil stays nil.
func (b *bucket) fail(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return b.fault(op, key, err)
}

// fault classifies an error and hides in it everything that must not be
// shown.
func (b *bucket) fault(op, key string, err error) *providers.Error {
	e := classify(err)
	e.Bucket = b.storage.Bucket
	switch {
	case e.Op == opAssume: // about a role, not about the object that was wanted
		b.roleFault(e)
	case e.Code == "NoSuchBucket":
		e.Op, e.Key = op, ""
	default:
		e.Op, e.Key = op, key
		b.explain(e)
	}
	for _, text := range []*string{&e.Code, &e.Detail, &e.Fix, &e.RequestID} {
		*text = b.who.seen.redact(*text)
	}
	return e
}

func objectOf(key string, size *int64, etag *string, modified *time.Time) providers.Object {
	return providers.Object{
		Key: key, Size: aws.ToInt64(size), ETag: strings.Trim(aws.ToString(etag), `"`), ModTime: aws.ToTime(modified),
	}
}

func quoted(etag string) *string {
	if etag == "" {
		return nil
	}
	return aws.String(`"` + etag + `"`)
}
