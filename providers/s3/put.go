package s3

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const (
	// partSize is in bytes. An object can have 10,000 parts, so 78 GiB.
	partSize = 8 << 20
	// maxPartsInFlight bounds the memory of an upload: each holds
	// partSize.
	maxPartsInFlight = 3
)

// Put implements providers.Bucket. It sends a body below 8 MiB in one
// request, and a longer one in a multipart upload, which it aborts if
// it fails. The returned object has no ModTime. Put cannot interrupt a
// Read of the body, so a body that waits must itself return when ctx
// ends. On a storage with unconditional_put it checks the conditions by
// itself before it sends anything.
func (b *bucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (providers.Object, error) {
	api, err := b.client.SDK(ctx)
	if err != nil {
		return providers.Object{}, b.wrapError("put", "", err)
	}
	if b.storage.UnconditionalPut {
		if err := b.checkConditions(ctx, key, opts); err != nil {
			return providers.Object{}, err
		}
		opts.IfAbsent, opts.IfMatch = false, ""
	}
	source := driver.NewSource(ctx, body)
	up := &upload{Client: api, regional: b.client}
	manager := transfermanager.New(up, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold = partSize, partSize
		o.Concurrency = maxPartsInFlight
		o.RequestChecksumCalculation = api.Options().RequestChecksumCalculation
	})
	out, err := manager.UploadObject(ctx, uploadInput(b.client.Bucket(), key, source, opts))
	guard.Rethrow(err)
	var o providers.Object
	switch {
	case up.completeErr != nil:
		err = up.completeErr
	case err == nil:
		o = providers.Object{Key: key, Size: source.N, ETag: unquote(out.ETag)}
		err = checkObject(o)
	}
	switch {
	case err == nil:
		return o, nil
	case source.Failed != nil: // it may be another bucket's error, which stays as it is
		return providers.Object{}, providers.Failed("put", b.storage.Bucket, key, source.Failed)
	}
	return providers.Object{}, b.putError(key, opts, up.partsLeft, err)
}

func uploadInput(
	bucket *string, key string, body io.Reader, opts providers.WriteOptions,
) *transfermanager.UploadObjectInput {
	in := &transfermanager.UploadObjectInput{
		Bucket: bucket, Key: aws.String(key), Body: body,
		ContentType: aws.String("application/octet-stream"),
		IfMatch:     quote(opts.IfMatch),
	}
	if opts.ContentType != "" {
		in.ContentType = aws.String(opts.ContentType)
	}
	if opts.IfAbsent {
		in.IfNoneMatch = aws.String("*")
	}
	return in
}

// checkConditions returns a Conflict if the object of a key does not meet
// the conditions now. It may change right afterwards.
func (b *bucket) checkConditions(
	ctx context.Context, key string, opts providers.WriteOptions,
) error {
	if !opts.IfAbsent && opts.IfMatch == "" {
		return nil
	}
	o, err := b.Stat(ctx, key)
	isMissing := errors.Is(err, providers.NotFound)
	switch {
	case isMissing && opts.IfMatch == "":
		return nil
	case err != nil && !isMissing:
		return err
	case !isMissing && !opts.IfAbsent && o.ETag == opts.IfMatch:
		return nil
	}
	return &providers.Error{
		Op: "put", Bucket: b.storage.Bucket, Key: key,
		Kind: providers.Conflict, Code: "PreconditionFailed",
		Detail: "the object is not what the write shall replace",
	}
}

// putError makes the error of an upload that S3 refused. partsLeft
// means that its parts are still in the bucket.
func (b *bucket) putError(
	key string, opts providers.WriteOptions, partsLeft bool, err error,
) *providers.Error {
	e := b.errors.Wrap("put", key, err)
	if opts.IfMatch != "" && s3error.IsMissingKey(e) {
		e.Kind = providers.Conflict // the object that was to be replaced is gone
	}
	if s3error.IsNotImplemented(e) && (opts.IfAbsent || opts.IfMatch != "") {
		e = s3error.NoConditionalPut(e)
	}
	if partsLeft {
		e.Fix = strings.TrimSpace(e.Advice() +
			" An unfinished upload of this key was left in the bucket: grant " +
			"s3:AbortMultipartUpload, or add a lifecycle rule that aborts incomplete uploads.")
	}
	return e
}
