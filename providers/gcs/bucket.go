package gcs

import (
	"context"
	"net/http"
	"strconv"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/client"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/providers/gcs/identity"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	_ providers.Bucket  = (*bucket)(nil)
	_ providers.Ordered = (*bucket)(nil)
)

type bucket struct {
	*driver.KnownOrder // implements providers.Ordered

	storage  tasks.Storage
	endpoint string // the base URL of the API, without a slash at its end
	identity *identity.Identity
	client   *client.Client
	errors   gcserror.Wrapper
}

// Stat implements providers.Bucket.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	var attrs *storage.ObjectAttrs
	err := b.client.Call(func(h *storage.BucketHandle) (err error) {
		attrs, err = h.Object(key).Attrs(ctx)
		return err
	})
	if err == nil {
		err = checkObject(attrs)
	}
	if err != nil {
		return providers.Object{}, b.wrapError("stat", key, err)
	}
	return withKey(attrs, key), nil
}

// withKey returns the object of a key. The key is the one that was asked
// for, whatever name the answer has.
func withKey(a *storage.ObjectAttrs, key string) providers.Object {
	o := objectOf(a)
	o.Key = key
	return o
}

// checkObject returns an error for an answer that describes no object.
func checkObject(a *storage.ObjectAttrs) error {
	if a == nil || a.Generation <= 0 {
		return gcserror.NotGCS(http.StatusOK)
	}
	return driver.CheckObject(objectOf(a))
}

// Delete implements providers.Bucket.
func (b *bucket) Delete(ctx context.Context, key string) error {
	err := b.client.Call(func(h *storage.BucketHandle) error {
		return h.Object(key).Delete(ctx)
	})
	if err == nil {
		return nil
	}
	e := b.errors.Wrap("delete", key, err)
	if isMissingObject(e) {
		return nil
	}
	return e
}

// Close implements providers.Bucket. It does nothing: connections belong
// to the opener's client.
func (b *bucket) Close() error { return nil }

// wrapError makes the error of an operation; nil stays nil.
func (b *bucket) wrapError(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return b.errors.Wrap(op, key, err)
}

// isMissingObject reports whether an error means that the bucket exists
// and has no such object.
func isMissingObject(e *providers.Error) bool {
	return e.Kind == providers.NotFound && e.Code != gcserror.CodeNoSuchBucket
}

func objectOf(a *storage.ObjectAttrs) providers.Object {
	return providers.Object{
		Key: a.Name, Size: a.Size, ETag: etagOf(a.Generation), ModTime: a.Updated,
	}
}

func etagOf(generation int64) string { return strconv.FormatInt(generation, 10) }

// neverGeneration is a generation that no object has: generations count
// microseconds since 1970. Preconditions need one above 0.
const neverGeneration = 1

// generationOf returns the generation of an ETag. It returns
// neverGeneration for an ETag that this package did not make.
func generationOf(etag string) int64 {
	g, err := strconv.ParseInt(etag, 10, 64)
	if err != nil || g <= 0 {
		return neverGeneration
	}
	return g
}
