package s3

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// encryption is how an object that was read is encrypted.
type encryption struct {
	known bool
	kind  string // AES256, aws:kms, aws:kms:dsse
	key   string // ARN of the KMS key
}

func (e encryption) isKMS() bool { return strings.HasPrefix(e.kind, "aws:kms") }

// read reads one byte of an object. Without one it asks for a key that does
// not exist: who may list and read is told so, who may not read is refused.
func (p *probe) read(ctx context.Context) tasks.Check {
	key := p.first.key
	if key == "" {
		key = p.randomKey()
	}
	out, err := p.get(ctx, &sdk.GetObjectInput{Bucket: p.name(), Key: aws.String(key), Range: aws.String("bytes=0-0")}, fewAttempts)
	if err != nil {
		return p.readFailed(key, p.fault("get", key, err))
	}
	_ = out.Body.Close()
	p.key = encryption{true, string(out.ServerSideEncryption), driver.Printable(aws.ToString(out.SSEKMSKeyId))}
	evidence := "read a byte of " + key
	if p.key.isKMS() {
		evidence += fmt.Sprintf(", which is encrypted with KMS key %s", p.key.key)
	}
	return tasks.Check{ID: checkRead, Status: tasks.CheckOK, Evidence: evidence}
}

func (p *probe) readFailed(key string, e *providers.Error) tasks.Check {
	existing := p.first.key != ""
	allowed := tasks.Check{ID: checkRead, Status: tasks.CheckOK, Evidence: "there is no object to read; reading one would be allowed"}
	switch {
	case e.Status == http.StatusRequestedRangeNotSatisfiable:
		allowed.Evidence = "read " + key + ", which is empty"
		return allowed
	case existing:
	case e.Kind == providers.NotFound && e.Code != "NoSuchBucket":
		return allowed
	case e.Kind == providers.Denied && deniedAction(e.Detail) == actions["list"] && p.listed == tasks.CheckOK:
		return allowed // only whether the key exists is hidden, from whom may list but a prefix
	case e.Kind == providers.Denied && deniedAction(e.Detail) != actions["get"] && (p.listed != tasks.CheckOK || p.storage.Dir() != ""):
		return tasks.Check{
			ID: checkRead, Status: tasks.CheckUnknown, Code: e.Code,
			Evidence: "without the right to list, S3 does not tell a missing object from a forbidden one",
			Fix:      "Store an object under the prefix, and verify again.",
		}
	}
	return p.check(checkRead, e, "")
}

// versions asks for one old version.
func (p *probe) versions(ctx context.Context) tasks.Check {
	in := &sdk.ListObjectVersionsInput{Bucket: p.name(), MaxKeys: aws.Int32(1)}
	if p.storage.Prefix != "" {
		in.Prefix = aws.String(p.storage.Prefix)
	}
	_, err := call(ctx, p.bucket, func(api *sdk.Client) (*sdk.ListObjectVersionsOutput, error) {
		return api.ListObjectVersions(ctx, in, fewAttempts)
	})
	return p.check(checkVersions, p.fail(checkVersions, "", err), "old versions can be listed")
}

// kms tells what reading has shown of the key. That writing is allowed cannot
// be: a write that S3 is sure to refuse is refused before the key is asked
// for.
func (p *probe) kms(context.Context) tasks.Check {
	key := p.key.key
	if key == "" {
		key = "KEY_ARN"
	}
	statement := fmt.Sprintf(`{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": [%q]}`, key)
	c := tasks.Check{ID: checkKMS, Status: tasks.CheckUnknown, Code: "NotProven"}
	switch {
	case p.failed(checkRead):
		return skipped(checkKMS, "nothing could be read")
	case p.key.isKMS() && !p.need.Write:
		return tasks.Check{ID: checkKMS, Status: tasks.CheckOK, Evidence: "kms:Decrypt works with " + key}
	case p.key.isKMS():
		c.Evidence = "kms:Decrypt works with " + key + "; whether kms:GenerateDataKey is allowed shows only when something is stored"
		c.Fix = "A policy with only kms:Decrypt reads but cannot write. Unless it is there, add " + statement + " to the IAM policy."
		return c
	case p.key.known:
		kind := p.key.kind
		if kind == "" {
			kind = "no key that S3 tells of"
		}
		c.Evidence = fmt.Sprintf("%s is encrypted with %s, not with KMS: nothing is known of the key", p.first.key, kind)
	default:
		c.Evidence = "no object was read: nothing is known of the key"
	}
	c.Fix = "If the bucket's default is a KMS key, add " + statement + " to the IAM policy: kms:Decrypt to read, kms:GenerateDataKey to write."
	return c
}
