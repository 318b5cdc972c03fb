package probe

import (
	"context"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// read reads one byte of an object. In an empty bucket it asks for a key
// that does not exist. Google then answers "not found" only to those who
// may read.
func (p *probe) read(ctx context.Context) tasks.Check {
	object := p.listSample(ctx).object
	key := check.RandomKey(p.Storage)
	if object != nil {
		key = object.Name
	}
	err := p.readByte(ctx, key)
	if err == nil {
		return check.OK("read a byte of " + key)
	}

	e := p.Errors.Wrap("get", key, err)
	switch {
	case e.Status == http.StatusRequestedRangeNotSatisfiable:
		return check.OK("read " + key + ", which is empty")
	case object == nil && e.Kind == providers.NotFound && e.Code != gcserror.CodeNoSuchBucket:
		return check.OK("there is no object to read; reading one would be allowed")
	case e.Kind == providers.Denied && strings.Contains(e.Detail, gcserror.PermissionGet):
		e.Fix = "The role Storage Legacy Bucket Reader lists but reads nothing; " +
			"it needs roles/storage.legacyObjectReader too, or use another role. " + e.Fix
	}
	return check.FailError(e)
}

func (p *probe) readByte(ctx context.Context, key string) error {
	return p.call(func(h *storage.BucketHandle) error {
		r, err := h.Object(key).NewRangeReader(ctx, 0, 1)
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		if r.Attrs.Generation <= 0 {
			return gcserror.NotGCS(http.StatusOK)
		}
		return nil
	})
}

// kms checks whether an object is encrypted with a key of the customer.
// That the key works is known from the check read: Cloud Storage uses the
// key with its own account, and a reader needs no right to it.
func (p *probe) kms(ctx context.Context) tasks.Check {
	object := p.listSample(ctx).object
	switch {
	case object == nil:
		return check.Unknown("", "there is no object to see the key of")
	case object.KMSKeyName != "":
		return check.OK(object.Name + " is encrypted with " + object.KMSKeyName)
	}
	return check.Warn("NoCustomerKey",
		object.Name+" is encrypted with a key of Google's",
		"Set the bucket's key: gcloud storage buckets update gs://"+p.Storage.Bucket+
			" --default-encryption-key=KEY; objects that exist keep theirs.")
}
