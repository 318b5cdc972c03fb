package probe

import (
	"context"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// read reads one byte of a blob. In an empty container it asks for a key
// that does not exist. Azure then answers "not found" only to those who
// may read.
func (p *probe) read(ctx context.Context) tasks.Check {
	key := p.sample.key
	exists := key != ""
	if !exists {
		key = check.RandomKey(p.Storage)
	}
	err := p.readByte(ctx, key)
	if err == nil {
		p.readable = true
		return p.withArchived("read a byte of " + key)
	}

	e := p.Errors.Wrap("get", key, err)
	switch {
	case e.Status == http.StatusRequestedRangeNotSatisfiable:
		return p.withArchived("read " + key + ", which is empty")
	case !exists && e.Code == azerror.CodeBlobNotFound:
		return check.OK("there is no blob to read; reading one would be allowed")
	}
	return check.FailError(e)
}

// withArchived makes the result of a successful read: a warning if some
// blobs are archived.
func (p *probe) withArchived(evidence string) tasks.Check {
	if p.sample.archived == 0 {
		return check.OK(evidence)
	}
	return check.Warn("BlobArchived",
		fmt.Sprintf("%s; but of the first %d blobs %d are archived",
			evidence, p.sample.blobs, p.sample.archived),
		p.Errors.ArchivedAdvice())
}

func (p *probe) readByte(ctx context.Context, key string) error {
	out, err := p.Client.NewBlobClient(key).DownloadStream(ctx,
		&blob.DownloadStreamOptions{Range: blob.HTTPRange{Count: 1}})
	if err != nil {
		return err
	}
	if out.EncryptionScope != nil {
		p.scope = *out.EncryptionScope
	}
	return out.Body.Close()
}

// kms checks whether the customer's key can be used. That follows from
// the check read: the service itself fetches the key from Key Vault, for
// reads as for writes, and the caller needs no right to it.
func (p *probe) kms(context.Context) tasks.Check {
	switch {
	case !p.readable:
		return check.Unknown("", "there is no blob with content whose key could be tried")
	case p.scope != "":
		return check.OK(fmt.Sprintf("a blob of encryption scope %q was decrypted",
			driver.Printable(p.scope)))
	}
	return check.OK("a blob was decrypted with the account's key; " +
		"the service fetches it by itself")
}
