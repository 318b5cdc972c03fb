package s3

import (
	"context"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const abortTimeout = 15 * time.Second

var _ transfermanager.S3APIClient = (*upload)(nil)

// upload is the client of one Put. It sends requests to the bucket's
// region, and corrects four faults of transfermanager: it logs an
// upload that cannot be completed to the process's log; it loses the
// reason if the upload cannot be aborted either; it does not abort
// after the context has ended; and a panic in its goroutines, which
// send the parts, would end the process.
type upload struct {
	*sdk.Client // makes the calls of a multipart upload

	regional    *client.Client
	completeErr error // why the upload could not be completed
	partsLeft   bool  // it could not be aborted
}

// PutObject stores an object in one request. The body is a part in
// memory, so it can be sent again.
func (u *upload) PutObject(
	ctx context.Context, in *sdk.PutObjectInput, opts ...client.Option,
) (*sdk.PutObjectOutput, error) {
	return client.Call(ctx, u.regional, func(api *sdk.Client) (*sdk.PutObjectOutput, error) {
		if body, ok := in.Body.(io.Seeker); ok {
			if _, err := body.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
		}
		return api.PutObject(ctx, in, opts...)
	})
}

// CreateMultipartUpload begins an upload. All later calls of it go to
// the same region.
func (u *upload) CreateMultipartUpload(
	ctx context.Context, in *sdk.CreateMultipartUploadInput, opts ...client.Option,
) (*sdk.CreateMultipartUploadOutput, error) {
	create := func(api *sdk.Client) (*sdk.CreateMultipartUploadOutput, error) {
		u.Client = api
		return api.CreateMultipartUpload(ctx, in, opts...)
	}
	out, err := client.Call(ctx, u.regional, create)
	if err == nil && aws.ToString(out.UploadId) == "" {
		return nil, s3error.NotS3("UploadId")
	}
	return out, err
}

// UploadPart sends a part. It returns a panic as an error, because it
// runs in a goroutine of transfermanager. Put panics with it.
func (u *upload) UploadPart(
	ctx context.Context, in *sdk.UploadPartInput, opts ...client.Option,
) (out *sdk.UploadPartOutput, err error) {
	err = guard.Call(func() (err error) {
		out, err = u.Client.UploadPart(ctx, in, opts...)
		if err == nil && aws.ToString(out.ETag) == "" {
			err = s3error.NotS3("ETag")
		}
		return err
	})
	return out, err
}

// CompleteMultipartUpload aborts an upload that it cannot complete. It
// keeps the error in completeErr and returns none, so that
// transfermanager does not log it.
func (u *upload) CompleteMultipartUpload(
	ctx context.Context, in *sdk.CompleteMultipartUploadInput, opts ...client.Option,
) (*sdk.CompleteMultipartUploadOutput, error) {
	out, err := u.Client.CompleteMultipartUpload(ctx, in, opts...)
	if err == nil {
		return out, nil
	}
	u.completeErr = err
	_, _ = u.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId,
	}, opts...)
	return &sdk.CompleteMultipartUploadOutput{}, nil
}

// AbortMultipartUpload aborts an upload even when ctx has ended. It
// returns no error, but sets partsLeft.
func (u *upload) AbortMultipartUpload(
	ctx context.Context, in *sdk.AbortMultipartUploadInput, opts ...client.Option,
) (*sdk.AbortMultipartUploadOutput, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	if _, err := u.Client.AbortMultipartUpload(ctx, in, opts...); err != nil {
		u.partsLeft = s3error.Classify(err).Code != "NoSuchUpload"
	}
	return &sdk.AbortMultipartUploadOutput{}, nil
}
