package gcs

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type bucket struct {
	storage  tasks.Storage
	base     string // of the API, without a slash at the end
	client   *storage.Client
	sign     *bearer
	attempts int
	pays     atomic.Bool // the bucket wants the requester to pay, and was told the storage's project
}

var (
	_ providers.Opener  = (*Opener)(nil)
	_ providers.Bucket  = (*bucket)(nil)
	_ providers.Prober  = (*bucket)(nil)
	_ providers.Located = (*bucket)(nil)
)

// Endpoint is the base URL that requests go to.
func (b *bucket) Endpoint() string { return b.base }

// CORSTarget is the bucket's URL on the XML API. The JSON API answers
// preflights without looking at the bucket's rules
// (https://cloud.google.com/storage/docs/cross-origin#server-side-support).
func (b *bucket) CORSTarget() string { return b.base + "/" + url.PathEscape(b.storage.Bucket) }

// CORSAdvice tells how to add a CORS rule that allows what want asks for.
func (b *bucket) CORSAdvice(want tasks.CORS) string { return policy.GCSCORS(b.storage.Bucket, want) }

// SignIn is where the bucket's tokens come from: that of a key file's, or of
// the account that the worker acts as. Tokens of the worker itself are the
// worker's own affair.
func (b *bucket) SignIn() providers.SignIn { return b.sign.who.signIn }

// Stat implements providers.Bucket.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	var attrs *storage.ObjectAttrs
	err := b.paying(func(h *storage.BucketHandle) (err error) {
		attrs, err = h.Object(key).Attrs(ctx)
		return err
	})
	if err == nil && attrs.Generation <= 0 {
		err = notGCS(http.StatusOK)
	}
	if err != nil {
		return providers.Object{}, b.fault("stat", key, err)
	}
	return objectOf(attrs), nil
}

// Delete implements providers.Bucket.
func (b *bucket) Delete(ctx context.Context, key string) error {
	err := b.paying(func(h *storage.BucketHandle) error { return h.Object(key).Delete(ctx) })
	if err == nil {
		return nil
	}
	if e := b.fault("delete", key, err); e.Kind != providers.NotFound || e.Code == noSuchBucket {
		return e
	}
	return nil
}

// Close implements providers.Bucket. Connections belong to the opener's
// client.
func (b *bucket) Close() error { return nil }

// paying makes a call that reads no body, and once more with the storage's
// project when the bucket wants the requester to pay. The project is not
// named before: whoever names one needs the right to bill it, for any bucket.
func (b *bucket) paying(call func(*storage.BucketHandle) error) error {
	paid := b.pays.Load()
	err := call(b.handle())
	if !paid && b.mustPay(err) {
		return call(b.handle())
	}
	return err
}

// mustPay reports whether a call failed only because nobody was named to pay
// for it, and there is somebody now.
func (b *bucket) mustPay(err error) bool {
	if err == nil || b.storage.Project == "" || classify(err).Code != userProjectMissing {
		return false
	}
	b.pays.Store(true)
	return true
}

func (b *bucket) handle() *storage.BucketHandle {
	h := b.client.Bucket(b.storage.Bucket)
	if b.pays.Load() {
		h = h.UserProject(b.storage.Project)
	}
	return h
}

// fault makes the *providers.Error of an operation, and hides in it
// everything that must not be shown.
func (b *bucket) fault(op, key string, err error) *providers.Error {
	e := classify(err)
	e.Op, e.Bucket, e.Key = op, b.storage.Bucket, key
	if e.Code == noSuchBucket {
		e.Key = ""
	}
	if e.Fix == "" {
		e.Fix = b.advice(e)
	}
	if token := b.sign.last.Load(); token != nil {
		for _, text := range []*string{&e.Code, &e.Detail, &e.Fix, &e.RequestID} {
			*text = providers.RedactValues(*text, *token)
		}
	}
	return e
}

func objectOf(a *storage.ObjectAttrs) providers.Object {
	return providers.Object{Key: a.Name, Size: a.Size, ETag: etagOf(a.Generation), ModTime: a.Updated}
}

func etagOf(generation int64) string { return strconv.FormatInt(generation, 10) }

// neverGeneration is positive, as preconditions must be, and older than any
// object: generations count microseconds.
const neverGeneration = 1

// generationOf reads an ETag. One that is not from here matches no object.
func generationOf(etag string) int64 {
	g, err := strconv.ParseInt(etag, 10, 64)
	if err != nil || g <= 0 {
		return neverGeneration
	}
	return g
}

// asError finds the *providers.Error in an error, if there is one.
func asError(err error) (e *providers.Error, ok bool) {
	ok = errors.As(err, &e)
	return e, ok
}
