package azure

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// write puts one byte to a new key on the condition that the key already
// holds something it cannot hold. A server checks the right to write first,
// then the condition, and stores nothing.
func (p *probe) write(ctx context.Context) tasks.Check {
	key := p.randomKey()
	_, err := p.container.NewBlockBlobClient(key).Upload(ctx, content([]byte("x")), &blockblob.UploadOptions{
		AccessConditions: ifMatch("0x8D0000000000000"),
	})
	if err == nil {
		return p.stored(ctx, key)
	}
	e := p.fault("put", key, err)
	switch {
	case e.Status == http.StatusPreconditionFailed:
		return tasks.Check{ID: "write", Status: tasks.CheckOK, Code: e.Code, Evidence: "a write on a false condition was refused only for its condition"}
	case e.Kind == providers.Denied, e.Kind == providers.Unauthenticated, e.Kind == providers.NotFound, e.Kind == providers.Blocked:
		return p.check("write", e, "")
	}
	return tasks.Check{ID: "write", Status: tasks.CheckUnknown, Code: e.Code, Evidence: e.Error(), Fix: e.Fix}
}

// stored deals with a server that took the write, condition and all.
func (p *probe) stored(ctx context.Context, key string) tasks.Check {
	c := tasks.Check{
		ID: "write", Status: tasks.CheckWarn, Code: "ConditionIgnored",
		Evidence: "the server does not heed conditions: it stored the probe as " + key,
		Fix:      "Use a server that heeds If-Match, or writers overwrite each other.",
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
