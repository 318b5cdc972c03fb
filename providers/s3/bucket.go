package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type bucket struct {
	storage tasks.Storage
	options sdk.Options
	hidden  []string
	http    *http.Client

	turn   chan struct{} // holds one token while somebody makes the client
	client *sdk.Client   // guarded by turn
}

var (
	_ providers.Opener = (*Opener)(nil)
	_ providers.Bucket = (*bucket)(nil)
	_ providers.Prober = (*bucket)(nil)
)

// Stat implements providers.Bucket.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	api, err := b.api(ctx)
	if err != nil {
		return providers.Object{}, b.fail("stat", "", err)
	}
	out, err := api.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: b.name(), Key: aws.String(key)})
	if err == nil {
		return objectOf(key, out.ContentLength, out.ETag, out.LastModified), nil
	}
	err = b.fail("stat", key, err)
	// The answer to a HEAD has no body, so it never says what is wrong with a region, a key or a right. A GET does.
	if k := providers.KindOf(err); k == providers.Denied || k == providers.Invalid {
		out, told := api.GetObject(ctx, &sdk.GetObjectInput{Bucket: b.name(), Key: aws.String(key), Range: aws.String("bytes=0-0")})
		if told != nil {
			return providers.Object{}, b.fail("stat", key, told)
		}
		_ = out.Body.Close()
	}
	return providers.Object{}, err
}

// Delete implements providers.Bucket.
func (b *bucket) Delete(ctx context.Context, key string) error {
	api, err := b.api(ctx)
	if err == nil {
		_, err = api.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: b.name(), Key: aws.String(key)})
	}
	err = b.fail("delete", key, err)
	var e *providers.Error
	if errors.As(err, &e) && e.Kind == providers.NotFound && e.Code != "NoSuchBucket" {
		return nil // AWS says 204 for a missing key, some servers 404
	}
	return err
}

// Close implements providers.Bucket. Connections belong to the opener's client.
func (b *bucket) Close() error { return nil }

func (b *bucket) name() *string { return aws.String(b.storage.Bucket) }

// fail makes the *providers.Error of an operation; nil stays nil.
func (b *bucket) fail(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return b.fault(op, key, err)
}

// fault classifies an error and hides in it everything that must not be shown.
func (b *bucket) fault(op, key string, err error) *providers.Error {
	e := classify(err)
	e.Op, e.Bucket, e.Key = op, b.storage.Bucket, key
	if e.Code == "NoSuchBucket" {
		e.Key = ""
	}
	for _, secret := range b.hidden {
		e.Code = strings.ReplaceAll(e.Code, secret, "[redacted]")
		e.Detail = strings.ReplaceAll(e.Detail, secret, "[redacted]")
		e.Fix = strings.ReplaceAll(e.Fix, secret, "[redacted]")
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
