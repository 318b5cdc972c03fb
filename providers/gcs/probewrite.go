package gcs

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	permissionCreate = "storage.objects.create"
	permissionDelete = "storage.objects.delete"
)

// neverNeeded are rights that no job uses.
var neverNeeded = []string{
	"storage.buckets.delete", "storage.buckets.setIamPolicy", "storage.buckets.update", "storage.objects.setIamPolicy",
}

// rightsGranted asks Google which rights the credentials have on the bucket.
// Asking needs none
// (https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions).
func (p *probe) rightsGranted(ctx context.Context) map[string]bool {
	if p.rightsAsked {
		return p.granted
	}
	p.rightsAsked = true
	var granted []string
	err := p.call(func(h *storage.BucketHandle) (err error) {
		granted, err = h.IAM().TestPermissions(ctx, append([]string{permissionCreate, permissionDelete}, neverNeeded...))
		return err
	})
	if err == nil {
		p.granted = map[string]bool{}
		for _, g := range granted {
			p.granted[g] = true
		}
	}
	return p.granted
}

// write believes Google when it grants the right. When it does not, that may
// be a condition that holds for the prefix only, so a write decides that is
// refused in any case.
func (p *probe) write(ctx context.Context) tasks.Check {
	granted := p.rightsGranted(ctx)
	c := ok("Google grants " + permissionCreate)
	if !granted[permissionCreate] {
		c = p.refusedWrite(ctx)
	}
	if c.Status == tasks.CheckOK && granted != nil && !granted[permissionDelete] {
		c.Status, c.Code = tasks.CheckWarn, "NoOverwrite"
		c.Evidence += ", but not " + permissionDelete + ": objects can be stored, not replaced"
		c.Fix = p.b.grantAdvice("x does not have " + permissionDelete + " access")
	}
	return c
}

// refusedWrite puts one byte to a new key with a wrong checksum, which stores
// nothing.
func (p *probe) refusedWrite(ctx context.Context) tasks.Check {
	key := p.b.randomKey()
	err := p.call(func(h *storage.BucketHandle) error {
		w := h.Object(key).If(storage.Conditions{DoesNotExist: true}).
			Retryer(storage.WithErrorFunc((&bounded{attempts: probeAttempts}).retry)).NewWriter(ctx)
		w.ChunkSize, w.MD5, w.ContentType = unit, make([]byte, md5.Size), "application/octet-stream"
		return send(w, []byte("x"))
	})
	if err == nil {
		return p.stored(ctx, key)
	}
	e := p.b.fault("put", key, err)
	switch {
	case e.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(e.Detail), "md5"), e.Kind == providers.Conflict:
		return ok("a write with a wrong checksum was refused only for its checksum")
	case e.Kind == providers.Unavailable || e.Kind == providers.Throttled:
		return tasks.Check{Status: tasks.CheckUnknown, Code: e.Code, Evidence: e.Error(), Fix: e.Advice()}
	}
	return fail(e)
}

// stored deals with a server that took the write, wrong checksum and all.
func (p *probe) stored(ctx context.Context, key string) tasks.Check {
	c := tasks.Check{
		Status: tasks.CheckWarn, Code: "ChecksumIgnored",
		Evidence: "the server does not check checksums: it stored the probe as " + key,
		Fix:      "Use a server that checks md5Hash, or damage on the way stays unseen.",
	}
	if err := p.b.Delete(ctx, key); err != nil {
		c.Fix = "Delete " + key + ". " + c.Fix
	} else {
		c.Evidence += " and removed it again"
	}
	return c
}

// rights warns of more rights than Stevedore needs: what a key may do,
// whoever finds it may do.
func (p *probe) rights(ctx context.Context) tasks.Check {
	granted := p.rightsGranted(ctx)
	if granted == nil {
		return tasks.Check{Status: tasks.CheckUnknown, Evidence: "the server does not tell which rights the credentials have"}
	}
	excess := neverNeeded
	if !p.need.Write {
		excess = append([]string{permissionCreate, permissionDelete}, neverNeeded...)
	}
	excess = slices.DeleteFunc(slices.Clone(excess), func(right string) bool { return !granted[right] })
	if len(excess) == 0 {
		return ok("the credentials have no rights that are not needed")
	}
	role := roleViewer
	if p.need.Write {
		role = roleUser
	}
	return tasks.Check{
		Status: tasks.CheckWarn, Code: "ExcessRights", Evidence: "not needed: " + strings.Join(excess, ", "),
		Fix: "Grant " + role + " instead of the wider role: " + p.b.grant(p.b.memberIn(""), role) +
			", then gcloud storage buckets remove-iam-policy-binding with the wider one.",
	}
}

func (b *bucket) randomKey() string {
	return b.storage.Dir() + ".stevedore-probe-" + strings.ToLower(rand.Text())
}
