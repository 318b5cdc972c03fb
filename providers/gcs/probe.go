package gcs

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Probe implements providers.Prober. It needs no right but those that the
// storage is to be used with. The first check that fails is the last that is
// made: what comes after it would fail for the same reason.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	p := &probe{b: b, need: need}
	var checks []tasks.Check
	failed := false
	for _, step := range []struct {
		id     string
		wanted bool
		run    func(context.Context) tasks.Check
	}{
		{"credentials", true, p.credentials},
		{"project", b.storage.Project != "", p.project},
		{"list", true, p.list},
		{"read", need.Read, p.read},
		{"kms", need.KMS, p.kms},
		{"write", need.Write, p.write},
		{"versions", need.Versions, p.versions},
		{"rights", true, p.rights},
	} {
		switch {
		case !step.wanted:
			continue
		case failed:
			checks = append(checks, tasks.Check{ID: step.id, Status: tasks.CheckSkipped, Evidence: "an earlier check failed"})
			continue
		}
		c := step.run(ctx)
		c.ID = step.id
		failed = c.Status == tasks.CheckFail
		checks = append(checks, c)
	}
	return checks
}

// probe is what the checks of one verification find out for each other.
type probe struct {
	b    *bucket
	need tasks.Need

	asked   bool // the bucket was listed
	listErr *providers.Error
	first   *storage.ObjectAttrs // an object to look at, if there is one

	rightsAsked bool
	granted     map[string]bool // nil when the server does not tell
}

// call makes a request with few attempts, because somebody waits for the
// answer.
func (p *probe) call(do func(*storage.BucketHandle) error) error {
	return p.b.paying(func(h *storage.BucketHandle) error { return do(h.Retryer(storage.WithMaxAttempts(probeAttempts))) })
}

func (p *probe) credentials(ctx context.Context) tasks.Check {
	who := p.b.sign.who
	if who.anonymous() {
		return ok("anonymous: no credentials are sent")
	}
	get := who.tokens.Token
	if shared, ok := who.tokens.(*signIn); ok { // a token that other buckets have used says nothing of the key
		get = shared.again
	}
	if _, err := get(ctx); err != nil {
		return fail(p.b.fault("open", "", &loginError{err}))
	}
	if who.name == "" {
		return ok("the worker's own identity got a token")
	}
	return ok(who.name + " got a token")
}

// project tells whether the storage's project is billed. Without a project a
// bucket that wants one fails its listing.
func (p *probe) project(ctx context.Context) tasks.Check {
	p.ask(ctx)
	switch {
	case p.listErr != nil && (p.listErr.Code == userProjectMissing || strings.Contains(p.listErr.Detail, "serviceusage.services.use")):
		return fail(p.listErr)
	case p.b.pays.Load():
		return ok("the bucket wants the requester to pay: requests are billed to project " + p.b.storage.Project)
	}
	return ok("the bucket's owner pays: the project is not used")
}

func (p *probe) list(ctx context.Context) tasks.Check {
	p.ask(ctx)
	switch {
	case p.listErr != nil && p.need.Write: // one role that does for both, not another one after the next verification
		e := *p.listErr
		e.Fix = strings.ReplaceAll(e.Advice(), roleViewer, roleUser)
		return fail(&e)
	case p.listErr != nil:
		return fail(p.listErr)
	case p.first == nil:
		return ok("the bucket can be listed; it has no objects under the prefix")
	}
	return ok("the bucket can be listed")
}

const someObjects = 20

// ask lists a little with the storage's prefix, because conditions of a
// policy may be limited to it. It prefers an object with content.
func (p *probe) ask(ctx context.Context) {
	if p.asked {
		return
	}
	p.asked = true
	q := &storage.Query{Prefix: p.b.storage.Prefix, Projection: storage.ProjectionNoACL}
	err := q.SetAttrSelection([]string{"Name", "Size", "Generation", "Updated", "KMSKeyName"})
	if err == nil {
		err = p.call(func(h *storage.BucketHandle) error { return p.look(h.Objects(ctx, q)) })
	}
	if err != nil {
		p.listErr = p.b.fault("list", "", err)
	}
}

func (p *probe) look(it *storage.ObjectIterator) error {
	it.PageInfo().MaxSize = someObjects
	for range someObjects {
		attrs, err := it.Next()
		switch {
		case errors.Is(err, iterator.Done):
			return nil
		case err != nil:
			return err
		case p.first == nil || attrs.Size > 0:
			p.first = attrs
		}
		if attrs.Size > 0 {
			return nil
		}
	}
	return nil
}

// read reads one byte of an object. Without one it asks for a key that does
// not exist: who may not read is refused, and everybody else is told so.
func (p *probe) read(ctx context.Context) tasks.Check {
	key := p.b.randomKey()
	if p.first != nil {
		key = p.first.Name
	}
	err := p.call(func(h *storage.BucketHandle) error {
		r, err := h.Object(key).NewRangeReader(ctx, 0, 1)
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		if r.Attrs.Generation <= 0 {
			return notGCS(http.StatusOK)
		}
		return nil
	})
	if err == nil {
		return ok("read a byte of " + key)
	}
	e := p.b.fault("get", key, err)
	switch {
	case e.Status == http.StatusRequestedRangeNotSatisfiable:
		return ok("read " + key + ", which is empty")
	case p.first == nil && e.Kind == providers.NotFound && e.Code != noSuchBucket:
		return ok("there is no object to read; reading one would be allowed")
	case e.Kind == providers.Denied && strings.Contains(e.Detail, "storage.objects.get"):
		e.Fix = "The role Storage Legacy Bucket Reader lists but reads nothing; roles/storage.legacyObjectReader beside it, or another role, is needed. " + e.Fix
	}
	return fail(e)
}

// kms looks whether there is a key of the customer's. Whether it works has
// been seen by reading: Cloud Storage uses it on its own account, so who
// reads needs no right to it.
func (p *probe) kms(context.Context) tasks.Check {
	switch {
	case p.first == nil:
		return tasks.Check{Status: tasks.CheckUnknown, Evidence: "there is no object to see the key of"}
	case p.first.KMSKeyName != "":
		return ok(p.first.Name + " is encrypted with " + p.first.KMSKeyName)
	}
	return tasks.Check{
		Status: tasks.CheckWarn, Code: "NoCustomerKey", Evidence: p.first.Name + " is encrypted with a key of Google's",
		Fix: "Set the bucket's key: gcloud storage buckets update gs://" + p.b.storage.Bucket + " --default-encryption-key=KEY; objects that exist keep theirs.",
	}
}

func (p *probe) versions(ctx context.Context) tasks.Check {
	err := p.call(func(h *storage.BucketHandle) error {
		it := h.Objects(ctx, &storage.Query{Prefix: p.b.storage.Prefix, Versions: true, Projection: storage.ProjectionNoACL})
		it.PageInfo().MaxSize = 1
		_, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return nil
		}
		return err
	})
	if err != nil {
		return fail(p.b.fault("list", "", err))
	}
	return ok("old versions can be listed")
}

func ok(evidence string) tasks.Check { return tasks.Check{Status: tasks.CheckOK, Evidence: evidence} }

func fail(e *providers.Error) tasks.Check {
	return tasks.Check{Status: tasks.CheckFail, Code: e.Code, Evidence: e.Error(), Fix: e.Advice()}
}
