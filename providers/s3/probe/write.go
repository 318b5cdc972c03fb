package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// writeCheck checks writing without storing anything.
type writeCheck struct{ Target }

// write puts one byte to a new key with a wrong checksum, and on the
// condition that the key is new. A server checks the right to write
// first. Then it refuses the checksum, and stores nothing.
func (p writeCheck) write(ctx context.Context) tasks.Check {
	key := check.RandomKey(p.Storage)
	e := p.putWrongChecksum(ctx, key, ifNew)
	switch {
	case e == nil:
		return p.stored(ctx, key)
	case isRefusedForChecksum(e), e.Kind == providers.Conflict:
		if err := p.conditions(ctx); err != nil {
			return check.FailError(err)
		}
		return p.abort(ctx, key, e.Code)
	case e.Kind == providers.Denied, e.Kind == providers.Unauthenticated,
		e.Kind == providers.NotFound, e.Kind == providers.Blocked:
		return check.FailError(p.Errors.ForAllKeys(e))
	case p.refusesCondition(ctx, key, e):
		return check.FailError(s3error.NoConditionalPut(e))
	case s3error.IsNotImplemented(e):
		return check.FailError(e)
	}
	return check.UnknownError(e)
}

// CheckConditions returns an error if the server refuses a PUT with a
// condition. It returns nil if it cannot find out. AWS is not asked: it
// knows the conditions.
func CheckConditions(ctx context.Context, t Target) error {
	if err := (writeCheck{t}).conditions(ctx); err != nil {
		return err
	}
	return nil
}

// conditions asks for a condition that no object meets. So a server that
// knows it stores nothing, even if it checks no checksum. Servers that
// know this condition also know that a key must be new, which is older.
func (p writeCheck) conditions(ctx context.Context) *providers.Error {
	if p.Identity.IsAWS() || p.Storage.UnconditionalPut {
		return nil
	}
	key := check.RandomKey(p.Storage)
	switch e := p.putWrongChecksum(ctx, key, ifOther); {
	case e == nil:
		p.stored(ctx, key) // removes it
	case p.refusesCondition(ctx, key, e):
		return s3error.NoConditionalPut(e)
	}
	return nil
}

// refusesCondition reports whether a PUT with a condition, which failed
// with e, would have come as far as the checksum without the condition.
func (p writeCheck) refusesCondition(
	ctx context.Context, key string, e *providers.Error,
) bool {
	isRefusal := e.Kind == providers.Invalid || s3error.IsNotImplemented(e)
	if !isRefusal || isRefusedForChecksum(e) || p.Storage.UnconditionalPut {
		return false
	}
	plain := p.putWrongChecksum(ctx, key, always)
	if plain == nil {
		p.stored(ctx, key) // removes it
		return true
	}
	return isRefusedForChecksum(plain)
}

// isRefusedForChecksum knows the codes of AWS, of Alibaba OSS, and of
// MinIO.
func isRefusedForChecksum(e *providers.Error) bool {
	return slices.Contains([]string{
		"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch",
	}, e.Code)
}

// condition is when the byte of a check may be stored.
type condition int

const (
	always  condition = iota
	ifNew             // if the key does not exist, which is true
	ifOther           // if the object has an ETag that none has
)

// putWrongChecksum puts one byte with a wrong checksum. It returns nil if
// the server stored it. With unconditional_put it sends no condition.
func (p writeCheck) putWrongChecksum(
	ctx context.Context, key string, when condition,
) *providers.Error {
	in := &sdk.PutObjectInput{
		Bucket: p.Client.Bucket(), Key: aws.String(key), Body: bytes.NewReader([]byte("x")),
		ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA=="),
	}
	switch {
	case p.Storage.UnconditionalPut:
	case when == ifNew:
		in.IfNoneMatch = aws.String("*")
	case when == ifOther:
		in.IfMatch = aws.String(`"` + strings.Repeat("0", 32) + `"`)
	}
	noChecksum := func(o *sdk.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	}
	put := func(api *sdk.Client) (*sdk.PutObjectOutput, error) {
		return api.PutObject(ctx, in, fewAttempts, noChecksum)
	}
	if _, err := client.Call(ctx, p.Client, put); err != nil {
		return p.Errors.Wrap("put", key, err)
	}
	return nil
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
