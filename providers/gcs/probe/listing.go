package probe

import (
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/client"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// maxSample is how many objects the probe looks at to find one with
// content.
const maxSample = 20

// sample holds what the first objects of the bucket show.
type sample struct {
	object *storage.ObjectAttrs // nil without objects; with content if there is such a one
	err    *providers.Error     // why the bucket could not be listed
}

// list checks whether objects can be listed.
func (p *probe) list(ctx context.Context) tasks.Check {
	s := p.listSample(ctx)
	switch {
	case s.err != nil && p.need.Write:
		// Advise one role for reading and writing, so that the next
		// verification does not ask for another one.
		e := *s.err
		e.Fix = strings.ReplaceAll(e.Advice(), gcserror.RoleViewer, gcserror.RoleUser)
		return check.FailError(&e)
	case s.err != nil:
		return check.FailError(s.err)
	case s.object == nil:
		return check.OK("the bucket can be listed; it has no objects under the prefix")
	}
	return check.OK("the bucket can be listed")
}

// project checks whether the storage's project is billed. A bucket that
// wants a project fails the check list when the storage has none.
func (p *probe) project(ctx context.Context) tasks.Check {
	s := p.listSample(ctx)
	switch {
	case s.err != nil && isAboutProject(s.err):
		return check.FailError(s.err)
	case p.Client.Pays():
		return check.OK("the bucket wants the requester to pay: " +
			"requests are billed to project " + p.Storage.Project)
	}
	return check.OK("the bucket's owner pays: the project is not used")
}

func isAboutProject(e *providers.Error) bool {
	return e.Code == gcserror.CodeUserProjectMissing ||
		strings.Contains(e.Detail, "serviceusage.services.use")
}

// listSample lists the first objects, at its first call. It lists under
// the storage's prefix, because a condition of a policy may allow only
// that.
func (p *probe) listSample(ctx context.Context) *sample {
	if p.sample != nil {
		return p.sample
	}
	p.sample = &sample{}
	q := &storage.Query{Prefix: p.Storage.Prefix, Projection: storage.ProjectionNoACL}
	err := q.SetAttrSelection([]string{"Name", "Size", "Generation", "Updated", "KMSKeyName"})
	if err == nil {
		err = p.call(func(h *storage.BucketHandle) (err error) {
			p.sample.object, err = firstObject(h.Objects(withEnd(ctx), q))
			return err
		})
	}
	if err != nil {
		p.sample.err = p.Errors.Wrap("list", "", err)
	}
	return p.sample
}

// withEnd returns a context for a listing that fails if the server sends
// empty pages without end.
func withEnd(ctx context.Context) context.Context {
	l := driver.NewListing(providers.ListOptions{}, &driver.KnownOrder{})
	return client.WithPages(ctx, l.Page)
}

// firstObject returns the first object that has content. If the first
// maxSample objects are all empty, it returns the first of them; without
// objects, nil.
func firstObject(it *storage.ObjectIterator) (*storage.ObjectAttrs, error) {
	it.PageInfo().MaxSize = maxSample
	var first *storage.ObjectAttrs
	for range maxSample {
		attrs, err := it.Next()
		switch {
		case errors.Is(err, iterator.Done):
			return first, nil
		case err != nil:
			return first, err
		case attrs.Size > 0:
			return attrs, nil
		case first == nil:
			first = attrs
		}
	}
	return first, nil
}

// versions checks whether old versions can be listed.
func (p *probe) versions(ctx context.Context) tasks.Check {
	q := &storage.Query{
		Prefix: p.Storage.Prefix, Versions: true, Projection: storage.ProjectionNoACL,
	}
	err := p.call(func(h *storage.BucketHandle) error {
		it := h.Objects(withEnd(ctx), q)
		it.PageInfo().MaxSize = 1
		_, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return nil
		}
		return err
	})
	if err != nil {
		return check.FailError(p.Errors.Wrap("list", "", err))
	}
	return check.OK("old versions can be listed")
}
