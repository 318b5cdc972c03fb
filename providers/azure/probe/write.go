package probe

import (
	"bytes"
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// otherETag is an ETag that no new blob can have.
const otherETag = "0x8D0000000000000"

// write sends one byte for a new key, on the condition that the key
// already has a certain ETag. The service first checks the right to write
// and then the condition, so nothing is stored.
func (p *probe) write(ctx context.Context) tasks.Check {
	key := check.RandomKey(p.Storage)
	body := streaming.NopCloser(bytes.NewReader([]byte("x")))
	_, err := p.Client.NewBlockBlobClient(key).Upload(ctx, body,
		&blockblob.UploadOptions{AccessConditions: client.IfMatch(otherETag)})
	if err == nil {
		return p.cleanUp(ctx, key)
	}

	e := p.Errors.Wrap("put", key, err)
	if e.Status == http.StatusPreconditionFailed {
		c := check.OK("a write on a false condition was refused only for its condition")
		c.Code = e.Code
		return c
	}
	switch e.Kind {
	case providers.Denied, providers.Unauthenticated, providers.NotFound, providers.Blocked:
		return check.FailError(e)
	}
	return check.UnknownError(e)
}

// cleanUp removes the blob of a server that stored it in spite of the
// false condition.
func (p *probe) cleanUp(ctx context.Context, key string) tasks.Check {
	evidence := "the server ignores conditions: it stored the probe as " + key
	fix := "Use a server that supports If-Match. On this one, writers overwrite each other."
	if err := p.Delete(ctx, key); err != nil {
		fix = "Delete " + key + ". " + fix
	} else {
		evidence += " and removed it again"
	}
	return check.Warn("ConditionIgnored", evidence, fix)
}
