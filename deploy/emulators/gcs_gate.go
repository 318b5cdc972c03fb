package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// gcsGate decides about one request.
type gcsGate struct {
	server *gcsServer
	bucket gcsBucket
	call   gcsCall
	caller string // email; empty for nobody
	root   bool
}

// inTurn lets one write after the other, because the fake checks some
// conditions and acts later. The body is read before, so that a slow client
// keeps nobody waiting; one that breaks off has written nothing.
func (g gcsGate) inTurn(w http.ResponseWriter, r *http.Request, lock *sync.Mutex) {
	if g.call.op == "create" || g.call.op == "continue" || g.call.op == "delete" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		lock.Lock()
		defer lock.Unlock()
	}
	g.serve(w, r)
}

func (g gcsGate) serve(w http.ResponseWriter, r *http.Request) {
	for _, op := range []string{g.call.op, "any"} {
		if fault, ok := g.bucket.Faults[op]; ok && !g.root {
			fault.write(w)
			return
		}
	}
	if refused := g.decide(r); refused != nil {
		refused.write(w, g.call)
		return
	}
	if g.call.op == "test" {
		g.testPermissions(w, r)
		return
	}
	g.pass(w, r)
}

func (f gcsFault) write(w http.ResponseWriter) {
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}

// decide says what is wrong with a request; nil when it may pass.
func (g gcsGate) decide(r *http.Request) *gcsError {
	if g.root {
		return g.precondition(r)
	}
	if refused := g.billing(r); refused != nil {
		return refused
	}
	if g.call.op == "test" && g.bucket.NoTestPermissions {
		return &gcsError{http.StatusNotFound, "notFound", "Not Found"}
	}
	needed := map[string][]string{
		"list": {"storage.objects.list"}, "get": {"storage.objects.get"}, "stat": {"storage.objects.get"},
		"delete": {"storage.objects.delete"}, "create": {"storage.objects.create"}, "bucket": {"storage.buckets.get"},
	}[g.call.op]
	if g.call.op == "create" && g.generation() != 0 && r.URL.Query().Get("ifGenerationMatch") != "0" {
		needed = append(needed, "storage.objects.delete") // replacing counts as deleting the old one
	}
	for _, permission := range needed {
		if !g.may(permission) {
			return g.refusal(permission)
		}
	}
	return g.precondition(r)
}

func (g gcsGate) billing(r *http.Request) *gcsError {
	if !g.bucket.RequesterPays || g.call.op == "continue" { // an upload that was begun is paid for
		return nil
	}
	project := r.URL.Query().Get("userProject")
	if project == "" {
		project = r.Header.Get("X-Goog-User-Project")
	}
	switch {
	case project == "":
		return &gcsError{http.StatusBadRequest, "required", "Bucket is a requester pays bucket but no user project provided."}
	case !slices.Contains(g.bucket.Billers[g.caller], project):
		return &gcsError{http.StatusForbidden, "forbidden", g.name() + " does not have serviceusage.services.use access to the Google Cloud project. Permission 'serviceusage.services.use' denied on resource (or it may not exist)."}
	}
	return nil
}

// may reports whether the caller has a permission.
func (g gcsGate) may(permission string) bool {
	if g.root || g.caller != "" && slices.Contains(g.bucket.Grants[g.caller], permission) {
		return true
	}
	return !g.bucket.NoPublic && slices.Contains(g.bucket.Grants["allUsers"], permission)
}

func (g gcsGate) name() string {
	if g.caller == "" {
		return "Anonymous caller"
	}
	return g.caller
}

func (g gcsGate) refusal(permission string) *gcsError {
	subject := "object"
	if g.call.op == "list" || g.call.op == "bucket" {
		subject = "bucket"
	}
	e := &gcsError{http.StatusForbidden, "forbidden", g.name() + " does not have " + permission + " access to the Google Cloud Storage " + subject +
		". Permission '" + permission + "' denied on resource (or it may not exist)."}
	if g.caller == "" {
		e.status, e.reason = http.StatusUnauthorized, "required"
	}
	return e
}

// generation is that of the object of the call; 0 when there is none.
func (g gcsGate) generation() int64 {
	o, err := g.server.fake.GetObjectStreaming(g.call.bucket, g.call.object)
	if err != nil {
		return 0
	}
	_ = o.Close()
	return o.Generation
}

// precondition is what the fake ignores: those of deletes and of reads.
func (g gcsGate) precondition(r *http.Request) *gcsError {
	want := r.URL.Query().Get("ifGenerationMatch")
	if want == "" || g.call.op != "delete" && g.call.op != "get" && g.call.op != "stat" {
		return nil
	}
	if now := g.generation(); now != 0 && strconv.FormatInt(now, 10) != want {
		return &gcsError{http.StatusPreconditionFailed, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}
	}
	return nil
}

// testPermissions answers with those of the asked permissions that the caller
// has; it needs none itself.
func (g gcsGate) testPermissions(w http.ResponseWriter, r *http.Request) {
	granted := slices.DeleteFunc(r.URL.Query()["permissions"], func(p string) bool { return !g.may(p) })
	answer(w, map[string]any{"kind": "storage#testIamPermissionsResponse", "permissions": granted}, nil)
}

// pass lets the fake answer, and puts right what it says.
func (g gcsGate) pass(w http.ResponseWriter, r *http.Request) {
	r.Header.Del("Origin") // the fake would allow any
	if g.call.xml {
		r.Host = "storage.googleapis.com"
	}
	out := &gcsAnswer{to: w}
	if g.bucket.KMSKey != "" && (g.call.op == "list" || g.call.op == "stat") {
		whole := httptest.NewRecorder()
		g.server.fake.HTTPHandler().ServeHTTP(whole, r)
		g.addKey(out, whole)
	} else {
		g.server.fake.HTTPHandler().ServeHTTP(out, r)
	}
	if e := out.refused(g); e != nil {
		e.write(w, g.call)
	}
}

// addKey says that every object is encrypted with the bucket's key.
func (g gcsGate) addKey(w http.ResponseWriter, whole *httptest.ResponseRecorder) {
	var told map[string]any
	body := whole.Body.Bytes()
	if whole.Code == http.StatusOK && json.Unmarshal(body, &told) == nil {
		items, _ := told["items"].([]any)
		if g.call.op == "stat" {
			items = []any{told}
		}
		for _, item := range items {
			if object, ok := item.(map[string]any); ok {
				object["kmsKeyName"] = g.bucket.KMSKey
			}
		}
		body, _ = json.Marshal(told)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(whole.Code)
	_, _ = w.Write(body)
}

// gcsAnswer passes on what succeeds and keeps back what fails, because the
// fake does not fail in Google's words.
type gcsAnswer struct {
	to     http.ResponseWriter
	status int
	body   bytes.Buffer // of a failure
}

func (a *gcsAnswer) Header() http.Header { return a.to.Header() }

func (a *gcsAnswer) WriteHeader(status int) {
	a.status = status
	if status < http.StatusBadRequest {
		a.to.Header().Del("Access-Control-Allow-Origin")
		a.to.WriteHeader(status)
	}
}

func (a *gcsAnswer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.status < http.StatusBadRequest {
		return a.to.Write(p)
	}
	return a.body.Write(p)
}

// refused is Google's way to say what failed; nil when nothing did.
func (a *gcsAnswer) refused(g gcsGate) *gcsError {
	if a.status < http.StatusBadRequest {
		return nil
	}
	clear(a.to.Header())
	e := &gcsError{status: a.status, reason: "backendError", message: "Backend Error"}
	switch a.status {
	case http.StatusNotFound:
		if !g.may("storage.objects.list") { // who may not list is not told what exists
			return g.refusal("storage.objects.get")
		}
		e.reason, e.message = "notFound", "No such object: "+g.call.bucket+"/"+g.call.object
	case http.StatusPreconditionFailed:
		e.reason, e.message = "conditionNotMet", "At least one of the pre-conditions you specified did not hold."
	case http.StatusRequestedRangeNotSatisfiable:
		e.reason, e.message = "requestedRangeNotSatisfiable", "The requested range cannot be satisfied."
	case http.StatusBadRequest:
		e.reason, e.message = "invalid", "Invalid value."
		if text := a.body.String(); strings.Contains(strings.ToLower(text), "md5") {
			e.message = `Provided MD5 hash "AAAAAAAAAAAAAAAAAAAAAA==" doesn't match calculated MD5 hash "nUAWeJGvEKxVsrEyZSRpvA==".`
		}
	}
	return e
}
