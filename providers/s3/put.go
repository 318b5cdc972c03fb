package s3

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

const (
	partSize    = 8 << 20 // bytes; with at most 10,000 parts an object can have 78 GiB
	concurrency = 3       // parts in flight; each holds partSize in memory

	abortTimeout = 15 * time.Second
)

// Put implements providers.Bucket. A body below 8 MiB is one request; a
// longer one is a multipart upload, which is aborted when it fails. The
// object it returns has no ModTime. A body that waits for something must
// itself heed ctx.
func (b *bucket) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	api, err := b.api(ctx)
	if err != nil {
		return providers.Object{}, b.fail("put", "", err)
	}
	from := driver.NewSource(ctx, body)
	up := &upload{Client: api, bucket: b}
	out, err := transfermanager.New(up, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partSize, partSize, concurrency
		o.RequestChecksumCalculation = b.options.RequestChecksumCalculation
	}).UploadObject(ctx, b.uploadInput(key, from, opts))
	switch {
	case up.failed != nil:
		err = up.failed
	case err == nil && aws.ToString(out.ETag) == "":
		err = notS3("ETag")
	}
	if err != nil {
		return providers.Object{}, b.putFailed(key, opts, up, from, err)
	}
	return providers.Object{Key: key, Size: from.N, ETag: strings.Trim(aws.ToString(out.ETag), `"`)}, nil
}

func (b *bucket) uploadInput(key string, body io.Reader, opts providers.WriteOptions) *transfermanager.UploadObjectInput {
	in := &transfermanager.UploadObjectInput{
		Bucket: b.name(), Key: aws.String(key), Body: body,
		ContentType: aws.String("application/octet-stream"), IfMatch: quoted(opts.IfMatch),
	}
	if opts.ContentType != "" {
		in.ContentType = aws.String(opts.ContentType)
	}
	if opts.IfAbsent {
		in.IfNoneMatch = aws.String("*")
	}
	return in
}

func (b *bucket) putFailed(key string, opts providers.WriteOptions, up *upload, from *driver.Source, err error) error {
	if from.Failed != nil { // perhaps another bucket's error, which stays as it is
		return providers.Failed("put", b.storage.Bucket, key, from.Failed)
	}
	e := b.fault("put", key, err)
	if opts.IfMatch != "" && e.Kind == providers.NotFound && e.Code != "NoSuchBucket" {
		e.Kind = providers.Conflict // the object that should have been replaced is gone
	}
	if up.left {
		e.Fix = strings.TrimSpace(e.Advice() + " An unfinished upload of this key was left in the bucket: grant" +
			" s3:AbortMultipartUpload, or add a lifecycle rule that aborts incomplete uploads.")
	}
	return e
}

var _ transfermanager.S3APIClient = (*upload)(nil)

// upload is the client of one upload. Left alone, transfermanager writes to
// the process's log when an upload cannot be completed, forgets why it failed
// when it cannot be aborted either, and does not abort once the context has
// ended.
type upload struct {
	*sdk.Client
	bucket *bucket
	failed error // of completing
	left   bool  // parts stayed in the bucket
}

// PutObject goes to the bucket's region. The body is a part in memory, so it
// can be sent again.
func (u *upload) PutObject(ctx context.Context, in *sdk.PutObjectInput, opts ...func(*sdk.Options)) (*sdk.PutObjectOutput, error) {
	return call(ctx, u.bucket, func(api *sdk.Client) (*sdk.PutObjectOutput, error) {
		if again, ok := in.Body.(io.Seeker); ok {
			if _, err := again.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
		}
		return api.PutObject(ctx, in, opts...)
	})
}

// CreateMultipartUpload goes to the bucket's region, and all that follows
// goes there too.
func (u *upload) CreateMultipartUpload(ctx context.Context, in *sdk.CreateMultipartUploadInput, opts ...func(*sdk.Options)) (*sdk.CreateMultipartUploadOutput, error) {
	return call(ctx, u.bucket, func(api *sdk.Client) (*sdk.CreateMultipartUploadOutput, error) {
		u.Client = api
		return api.CreateMultipartUpload(ctx, in, opts...)
	})
}

// CompleteMultipartUpload shows transfermanager no error, and keeps it.
func (u *upload) CompleteMultipartUpload(ctx context.Context, in *sdk.CompleteMultipartUploadInput, opts ...func(*sdk.Options)) (*sdk.CompleteMultipartUploadOutput, error) {
	out, err := u.Client.CompleteMultipartUpload(ctx, in, opts...)
	if err == nil {
		return out, nil
	}
	u.failed = err
	abort := &sdk.AbortMultipartUploadInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId}
	_, _ = u.AbortMultipartUpload(ctx, abort, opts...)
	return &sdk.CompleteMultipartUploadOutput{}, nil
}

// AbortMultipartUpload aborts even when ctx has ended, and never fails.
func (u *upload) AbortMultipartUpload(ctx context.Context, in *sdk.AbortMultipartUploadInput, opts ...func(*sdk.Options)) (*sdk.AbortMultipartUploadOutput, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	if _, err := u.Client.AbortMultipartUpload(ctx, in, opts...); err != nil {
		u.left = classify(err).Code != "NoSuchUpload"
	}
	return &sdk.AbortMultipartUploadOutput{}, nil
}
