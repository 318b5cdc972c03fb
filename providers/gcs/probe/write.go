package probe

import (
	"context"
	"crypto/md5"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/gcs/client"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// write checks whether objects can be stored. If Google says that the
// right is granted, that is enough. Otherwise a condition may still grant
// it for the prefix, so the probe sends a write that cannot succeed and
// looks at why it was refused.
func (p *probe) write(ctx context.Context) tasks.Check {
	granted := p.askRights(ctx)
	var c tasks.Check
	if granted.has(gcserror.PermissionCreate) {
		c = check.OK("Google grants " + gcserror.PermissionCreate)
	} else {
		c = p.writeWrongChecksum(ctx)
	}

	if c.Status == tasks.CheckOK && granted.known && !granted.has(gcserror.PermissionDelete) {
		return check.Warn("NoOverwrite",
			c.Evidence+", but not "+gcserror.PermissionDelete+
				": objects can be stored, not replaced",
			p.Errors.PermissionAdvice(gcserror.PermissionDelete))
	}
	return c
}

// writeWrongChecksum sends one byte for a new key with a wrong checksum,
// so nothing is stored. The write is refused for its checksum, or earlier
// for a missing right.
func (p *probe) writeWrongChecksum(ctx context.Context) tasks.Check {
	key := check.RandomKey(p.Storage)
	err := p.call(func(h *storage.BucketHandle) error {
		o := h.Object(key).If(storage.Conditions{DoesNotExist: true})
		w := client.NewWriter(ctx, o, maxAttempts)
		w.ChunkSize = client.ChunkSizeFor(1)
		w.MD5 = make([]byte, md5.Size)
		w.ContentType = "application/octet-stream"
		return client.Send(w, []byte("x"))
	})
	if err == nil {
		return p.cleanUp(ctx, key)
	}

	e := p.Errors.Wrap("put", key, err)
	switch {
	case isChecksumError(e), e.Kind == providers.Conflict:
		return check.OK("a write with a wrong checksum was refused only for its checksum")
	case e.Kind == providers.Unavailable || e.Kind == providers.Throttled:
		return check.UnknownError(e)
	}
	return check.FailError(e)
}

func isChecksumError(e *providers.Error) bool {
	return e.Status == http.StatusBadRequest &&
		strings.Contains(strings.ToLower(e.Detail), "md5")
}

// cleanUp removes the object of a server that stored it in spite of its
// wrong checksum.
func (p *probe) cleanUp(ctx context.Context, key string) tasks.Check {
	evidence := "the server does not check checksums: it stored the probe as " + key
	fix := "Use a server that checks md5Hash. This one does not notice damaged uploads."
	if err := p.Delete(ctx, key); err != nil {
		fix = "Delete " + key + ". " + fix
	} else {
		evidence += " and removed it again"
	}
	return check.Warn("ChecksumIgnored", evidence, fix)
}
