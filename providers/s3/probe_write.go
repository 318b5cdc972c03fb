package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// write puts one byte to a new key with a wrong checksum. A server checks the
// right to write first, then the condition and the checksum, and stores
// nothing.
func (p *probe) write(ctx context.Context) tasks.Check {
	key := p.randomKey()
	_, err := call(ctx, p.bucket, func(api *sdk.Client) (*sdk.PutObjectOutput, error) {
		return api.PutObject(ctx, &sdk.PutObjectInput{
			Bucket: p.name(), Key: aws.String(key), Body: bytes.NewReader([]byte("x")),
			IfNoneMatch: aws.String("*"), ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA=="),
		}, fewAttempts, func(o *sdk.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
	})
	if err == nil {
		return p.stored(ctx, key)
	}
	e := p.fault("put", key, err)
	switch {
	case e.Code == "BadDigest", e.Kind == providers.Conflict:
		return p.abort(ctx, key, tasks.Check{
			ID: checkWrite, Status: tasks.CheckOK, Code: e.Code, Evidence: "a write with a wrong checksum was refused only for its checksum",
		})
	case e.Kind == providers.Denied, e.Kind == providers.Unauthenticated, e.Kind == providers.NotFound, e.Kind == providers.Blocked:
		return p.check(checkWrite, e, "")
	}
	return tasks.Check{ID: checkWrite, Status: tasks.CheckUnknown, Code: e.Code, Evidence: e.Error(), Fix: e.Fix}
}

// abort asks to abort an upload that does not exist: who may is told so. Who
// may not leaves parts behind when a big upload breaks off, which still
// works.
func (p *probe) abort(ctx context.Context, key string, c tasks.Check) tasks.Check {
	_, err := call(ctx, p.bucket, func(api *sdk.Client) (*sdk.AbortMultipartUploadOutput, error) {
		return api.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{
			Bucket: p.name(), Key: aws.String(key), UploadId: aws.String(strings.ToLower(rand.Text())),
		}, fewAttempts)
	})
	if err == nil {
		return c
	}
	if e := p.fault("abort", key, err); e.Kind == providers.Denied {
		c.Status, c.Code = tasks.CheckWarn, e.Code
		c.Evidence += "; an upload that breaks off could not be aborted, and its parts would stay"
		c.Fix = p.widened(e) + " Or add a lifecycle rule that aborts incomplete uploads."
	}
	return c
}

// stored deals with a server that took the write, wrong checksum and all.
func (p *probe) stored(ctx context.Context, key string) tasks.Check {
	c := tasks.Check{
		ID: checkWrite, Status: tasks.CheckWarn, Code: "ChecksumIgnored",
		Evidence: "the server does not check checksums: it stored the probe as " + key,
		Fix:      "Use a server that checks Content-MD5, or damage on the way stays unseen.",
	}
	if err := p.Delete(ctx, key); err != nil {
		c.Fix = fmt.Sprintf("Delete %s. %s", key, c.Fix)
	} else {
		c.Evidence += " and removed it again"
	}
	return c
}

func (b *bucket) randomKey() string {
	return b.storage.Dir() + ".stevedore-probe-" + strings.ToLower(rand.Text())
}
