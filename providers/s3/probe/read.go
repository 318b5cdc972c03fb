package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// readChecks check reading, and the encryption of the object that was
// read.
type readChecks struct {
	Target
	listing *listingChecks
	writes  bool // the jobs will also write

	failed     bool       // nothing could be read
	encryption encryption // of the object that was read
}

// encryption says how an object is encrypted.
type encryption struct {
	known  bool   // an object was read
	method string // AES256, aws:kms or aws:kms:dsse; may be empty
	keyARN string // of the KMS key
}

func (e encryption) isKMS() bool { return strings.HasPrefix(e.method, "aws:kms") }

// read reads one byte of an object. In an empty bucket it asks for a
// key that does not exist. Then S3 answers NotFound to those who may
// list and read, and AccessDenied to those who may not read.
func (p *readChecks) read(ctx context.Context) tasks.Check {
	key := p.listing.firstKey
	if key == "" {
		key = check.RandomKey(p.Storage)
	}
	out, err := p.Client.GetObject(ctx, &sdk.GetObjectInput{
		Bucket: p.Client.Bucket(), Key: aws.String(key), Range: aws.String("bytes=0-0"),
	}, fewAttempts)
	if err != nil {
		c := p.readFailed(p.Errors.Wrap("get", key, err))
		p.failed = check.IsFailure(c)
		return c
	}
	_ = out.Body.Close()

	p.encryption = encryption{
		known:  true,
		method: string(out.ServerSideEncryption),
		keyARN: driver.Printable(aws.ToString(out.SSEKMSKeyId)),
	}
	evidence := "read a byte of " + key
	if p.encryption.isKMS() {
		evidence += ", which is encrypted with KMS key " + p.encryption.keyARN
	}
	return check.OK(evidence)
}

// readFailed decides what the error of the read means.
func (p *readChecks) readFailed(e *providers.Error) tasks.Check {
	if e.Status == http.StatusRequestedRangeNotSatisfiable {
		return check.OK("read " + e.Key + ", which is empty")
	}
	if p.listing.firstKey != "" {
		return check.FailError(p.Errors.ForAllKeys(e))
	}

	allowed := check.OK("there is no object to read; reading one would be allowed")
	mayList := p.listing.failure == nil
	denied := e.Kind == providers.Denied
	action := s3error.DeniedAction(e.Detail) // empty when the server does not say it
	switch {
	case s3error.IsMissingKey(e):
		return allowed
	case denied && action == s3error.Action("list") && mayList:
		// The credentials may list a prefix only. S3 hides from them
		// whether a key exists, but it would let them read.
		return allowed
	case denied && action != s3error.Action("get") && (!mayList || p.Storage.Dir() != ""):
		c := check.Unknown(e.Code,
			"without the right to list, S3 answers alike for a missing object and a forbidden one")
		c.Fix = "Store an object under the prefix, and verify again."
		return c
	}
	return check.FailError(p.Errors.ForAllKeys(e))
}

// kms reports what the read check has shown about the KMS key. It
// cannot find out whether encryption is allowed: S3 refuses the request
// of the write check before it uses the key.
func (p *readChecks) kms(context.Context) tasks.Check {
	key := cmp.Or(p.encryption.keyARN, "KEY_ARN")
	statement := fmt.Sprintf(`{"Effect": "Allow", `+
		`"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": [%q]}`, key)
	switch {
	case p.failed:
		return check.SkipAfter(tasks.CheckIDRead)
	case p.encryption.isKMS() && !p.writes:
		return check.OK("kms:Decrypt works with " + key)
	case p.encryption.isKMS():
		return notProven("kms:Decrypt works with "+key+"; whether kms:GenerateDataKey is allowed "+
			"shows only when something is stored",
			"A policy with only kms:Decrypt reads but cannot write. Unless it is there, add "+
				statement+" to the IAM policy.")
	}

	evidence := "no object was read: nothing is known of the key"
	if p.encryption.known {
		method := cmp.Or(p.encryption.method, "a key that S3 does not name")
		evidence = p.listing.firstKey + " is encrypted with " + method +
			", not with KMS: nothing is known of the key"
	}
	return notProven(evidence, "If the bucket's default is a KMS key, add "+statement+
		" to the IAM policy: kms:Decrypt to read, kms:GenerateDataKey to write.")
}

func notProven(evidence, fix string) tasks.Check {
	c := check.Unknown("NotProven", evidence)
	c.Fix = fix
	return c
}
