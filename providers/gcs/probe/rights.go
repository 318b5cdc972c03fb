package probe

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// unneeded are permissions that no job uses.
var unneeded = []string{
	"storage.buckets.delete",
	"storage.buckets.setIamPolicy",
	"storage.buckets.update",
	"storage.objects.setIamPolicy",
}

// forWriting are permissions that only jobs that write use.
var forWriting = []string{gcserror.PermissionCreate, gcserror.PermissionDelete}

// grants holds which permissions the credentials have on the bucket.
type grants struct {
	known       bool // false when the server does not say
	permissions []string
}

func (g *grants) has(permission string) bool {
	return slices.Contains(g.permissions, permission)
}

// askRights asks Google which permissions the credentials have, at its
// first call. Everybody may ask
// (https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions).
func (p *probe) askRights(ctx context.Context) *grants {
	if p.granted != nil {
		return p.granted
	}
	p.granted = &grants{}
	err := p.call(func(h *storage.BucketHandle) (err error) {
		p.granted.permissions, err = h.IAM().TestPermissions(ctx,
			slices.Concat(forWriting, unneeded))
		return err
	})
	p.granted.known = err == nil
	return p.granted
}

// rights warns if the credentials have more permissions than the storage
// needs: if they leak, others have these permissions too.
func (p *probe) rights(ctx context.Context) tasks.Check {
	granted := p.askRights(ctx)
	if !granted.known {
		return check.Unknown("", "the server does not tell which rights the credentials have")
	}

	candidates, role := slices.Concat(forWriting, unneeded), gcserror.RoleViewer
	if p.need.Write {
		candidates, role = unneeded, gcserror.RoleUser
	}
	var excess []string
	for _, permission := range candidates {
		if granted.has(permission) {
			excess = append(excess, permission)
		}
	}
	if len(excess) == 0 {
		return check.OK("the credentials have no rights that are not needed")
	}
	return check.Warn("ExcessRights",
		"not needed: "+strings.Join(excess, ", "),
		"Grant "+role+" instead of the wider role: "+p.Errors.GrantCommand(role)+
			", then gcloud storage buckets remove-iam-policy-binding with the wider one.")
}
