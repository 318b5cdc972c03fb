package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// writeCheck checks writing without storing anything.
type writeCheck struct{ Target }

// write puts one byte to a new key with a wrong checksum. A server
// checks the right to write first. Then it refuses the condition or the
// checksum, and stores nothing.
func (p writeCheck) write(ctx context.Context) tasks.Check {
	key := check.RandomKey(p.Storage)
	err := p.putWrongChecksum(ctx, key)
	if err == nil {
		return p.stored(ctx, key)
	}
	e := p.Errors.Wrap("put", key, err)
	switch {
	case e.Code == "BadDigest", e.Kind == providers.Conflict:
		return p.abort(ctx, key, e.Code)
	case e.Kind == providers.Denied, e.Kind == providers.Unauthenticated,
		e.Kind == providers.NotFound, e.Kind == providers.Blocked:
		return check.FailError(p.Errors.ForAllKeys(e))
	}
	return check.UnknownError(e)
}

func (p writeCheck) putWrongChecksum(ctx context.Context, key string) error {
	in := &sdk.PutObjectInput{
		Bucket: p.Client.Bucket(), Key: aws.String(key), Body: bytes.NewReader([]byte("x")),
		IfNoneMatch: aws.String("*"), ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA=="),
	}
	noChecksum := func(o *sdk.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	}
	put := func(api *sdk.Client) (*sdk.PutObjectOutput, error) {
		return api.PutObject(ctx, in, fewAttempts, noChecksum)
	}
	_, err := client.Call(ctx, p.Client, put)
	return err
}

// abort completes a successful write check: it tries to abort an upload
// that does not exist. S3 answers NoSuchUpload, or AccessDenied if the
// right to abort is missing. Without that right big uploads still work,
// but one that breaks off leaves its parts in the bucket.
func (p writeCheck) abort(ctx context.Context, key, code string) tasks.Check {
	c := check.OK("a write with a wrong checksum was refused only for its checksum")
	c.Code = code
	in := &sdk.AbortMultipartUploadInput{
		Bucket: p.Client.Bucket(), Key: aws.String(key),
		UploadId: aws.String(strings.ToLower(rand.Text())),
	}
	abort := func(api *sdk.Client) (*sdk.AbortMultipartUploadOutput, error) {
		return api.AbortMultipartUpload(ctx, in, fewAttempts)
	}
	_, err := client.Call(ctx, p.Client, abort)
	if err == nil {
		return c
	}
	e := p.Errors.ForAllKeys(p.Errors.Wrap("abort", key, err))
	if e.Kind != providers.Denied {
		return c
	}
	return check.Warn(e.Code,
		c.Evidence+"; an upload that breaks off could not be aborted, and its parts would stay",
		e.Fix+" Or add a lifecycle rule that aborts incomplete uploads.")
}

// stored handles a server that stored the byte in spite of the wrong
// checksum: it deletes the object.
func (p writeCheck) stored(ctx context.Context, key string) tasks.Check {
	evidence := "the server does not check checksums: it stored the probe as " + key
	fix := "Use a server that checks Content-MD5, or nobody notices damage on the way."
	if err := p.Client.DeleteObject(ctx, key); err != nil {
		fix = fmt.Sprintf("Delete %s. %s", key, fix)
	} else {
		evidence += " and removed it again"
	}
	return check.Warn("ChecksumIgnored", evidence, fix)
}
