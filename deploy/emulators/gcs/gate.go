package gcs

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// gate decides about one request, and passes it to the fake if it is
// allowed.
type gate struct {
	fake   *fakestorage.Server
	bucket bucket
	call   call
	caller string // email; empty for an anonymous request
	root   bool   // whether the caller may do everything
}

// serve answers the request. Writes wait for the lock; their bodies
// are read before, so that a slow client delays nobody. If a body
// ends early, nothing is written.
func (g gate) serve(w http.ResponseWriter, r *http.Request, writes *sync.Mutex) {
	if g.call.writes() {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		writes.Lock()
		defer writes.Unlock()
	}

	for _, op := range []string{g.call.op, "any"} {
		if f, ok := g.bucket.Faults[op]; ok && !g.root {
			f.write(w)
			return
		}
	}
	if refused := g.check(r); refused != nil {
		refused.write(w, g.call)
		return
	}
	if g.call.op == "test" {
		g.testPermissions(w, r)
		return
	}
	g.pass(w, r)
}

// check returns why a request must fail, or nil.
func (g gate) check(r *http.Request) *failure {
	if g.root {
		return g.checkPrecondition(r)
	}
	if refused := g.checkBilling(r); refused != nil {
		return refused
	}
	if g.call.op == "test" && g.bucket.NoTestPermissions {
		return &failure{http.StatusNotFound, "notFound", "Not Found"}
	}
	for _, permission := range g.required(r) {
		if !g.has(permission) {
			return g.refusal(permission)
		}
	}
	return g.checkPrecondition(r)
}

// required returns the permissions that the request needs.
func (g gate) required(r *http.Request) []string {
	permissions := map[string][]string{
		"list":   {"storage.objects.list"},
		"get":    {"storage.objects.get"},
		"stat":   {"storage.objects.get"},
		"delete": {"storage.objects.delete"},
		"create": {"storage.objects.create"},
		"bucket": {"storage.buckets.get"},
	}[g.call.op]
	replaces := g.call.op == "create" && r.URL.Query().Get("ifGenerationMatch") != "0" &&
		g.generation() != 0
	if replaces { // Google counts it as deleting the old object
		permissions = append(permissions, "storage.objects.delete")
	}
	return permissions
}

// has reports whether the caller has a permission.
func (g gate) has(permission string) bool {
	granted := g.bucket.Grants
	return g.root ||
		g.caller != "" && slices.Contains(granted[g.caller], permission) ||
		!g.bucket.NoPublic && slices.Contains(granted["allUsers"], permission)
}

// refusal is the failure of a caller who lacks a permission.
func (g gate) refusal(permission string) *failure {
	subject := "object"
	if g.call.op == "list" || g.call.op == "bucket" {
		subject = "bucket"
	}
	f := &failure{http.StatusForbidden, "forbidden", g.callerName() + " does not have " +
		permission + " access to the Google Cloud Storage " + subject + ". Permission '" +
		permission + "' denied on resource (or it may not exist)."}
	if g.caller == "" {
		f.status, f.reason = http.StatusUnauthorized, "required"
	}
	return f
}

func (g gate) callerName() string {
	if g.caller == "" {
		return "Anonymous caller"
	}
	return g.caller
}

// checkBilling returns why a bucket whose requester pays refuses a
// request. Requests that continue an upload are not checked: its
// first one was.
func (g gate) checkBilling(r *http.Request) *failure {
	if !g.bucket.RequesterPays || g.call.op == "continue" {
		return nil
	}
	project := r.URL.Query().Get("userProject")
	if project == "" {
		project = r.Header.Get("X-Goog-User-Project")
	}
	switch {
	case project == "":
		return &failure{http.StatusBadRequest, "required", missingProject}
	case !slices.Contains(g.bucket.Billers[g.caller], project):
		return &failure{http.StatusForbidden, "forbidden", g.callerName() +
			" does not have serviceusage.services.use access to the Google Cloud project. " +
			"Permission 'serviceusage.services.use' denied on resource (or it may not exist)."}
	}
	return nil
}

// checkPrecondition checks the conditions of deletes and reads, which
// the fake ignores.
func (g gate) checkPrecondition(r *http.Request) *failure {
	want := r.URL.Query().Get("ifGenerationMatch")
	if want == "" || g.call.op != "delete" && !g.call.reads() {
		return nil
	}
	if now := g.generation(); now != 0 && strconv.FormatInt(now, 10) != want {
		return &failure{http.StatusPreconditionFailed, "conditionNotMet", failedPrecondition}
	}
	return nil
}

// generation returns the generation of the call's object, or 0 if the
// object does not exist.
func (g gate) generation() int64 {
	o, err := g.fake.GetObjectStreaming(g.call.bucket, g.call.object)
	if err != nil {
		return 0
	}
	_ = o.Close()
	return o.Generation
}

// testPermissions answers which of the requested permissions the
// caller has. The request itself needs no permission.
func (g gate) testPermissions(w http.ResponseWriter, r *http.Request) {
	lacking := func(permission string) bool { return !g.has(permission) }
	granted := slices.DeleteFunc(r.URL.Query()["permissions"], lacking)
	web.Answer(w, map[string]any{
		"kind":        "storage#testIamPermissionsResponse",
		"permissions": granted,
	}, nil)
}
