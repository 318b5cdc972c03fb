package gcs

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
)

// pass lets the fake answer, and corrects the answer where it differs
// from Google's.
func (g gate) pass(w http.ResponseWriter, r *http.Request) {
	r.Header.Del("Origin") // the fake would allow every origin
	if g.call.xml {
		r.Host = "storage.googleapis.com"
	}

	out := &passedAnswer{to: w}
	if g.bucket.KMSKey != "" && (g.call.op == "list" || g.call.op == "stat") {
		recorded := httptest.NewRecorder()
		g.fake.HTTPHandler().ServeHTTP(recorded, r)
		g.writeWithKey(out, recorded)
	} else {
		g.fake.HTTPHandler().ServeHTTP(out, r)
	}
	if f := out.failure(g); f != nil {
		f.write(w, g.call)
	}
}

// writeWithKey writes a recorded answer and adds the bucket's key to
// every object in it.
func (g gate) writeWithKey(w http.ResponseWriter, recorded *httptest.ResponseRecorder) {
	body := recorded.Body.Bytes()
	var answer map[string]any
	if recorded.Code == http.StatusOK && json.Unmarshal(body, &answer) == nil {
		items, _ := answer["items"].([]any)
		if g.call.op == "stat" {
			items = []any{answer}
		}
		for _, item := range items {
			if object, ok := item.(map[string]any); ok {
				object["kmsKeyName"] = g.bucket.KMSKey
			}
		}
		body, _ = json.Marshal(answer)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(body)
}

// passedAnswer passes a success on to the client. It holds a failure
// back, because the fake does not use Google's words.
type passedAnswer struct {
	to     http.ResponseWriter
	status int
	body   bytes.Buffer // of a failure
}

func (a *passedAnswer) Header() http.Header { return a.to.Header() }

func (a *passedAnswer) WriteHeader(status int) {
	a.status = status
	if status < http.StatusBadRequest {
		a.to.Header().Del("Access-Control-Allow-Origin")
		a.to.WriteHeader(status)
	}
}

func (a *passedAnswer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.status < http.StatusBadRequest {
		return a.to.Write(p)
	}
	return a.body.Write(p)
}

// failure returns Google's failure for the one that was held back, or
// nil.
func (a *passedAnswer) failure(g gate) *failure {
	if a.status < http.StatusBadRequest {
		return nil
	}
	clear(a.to.Header())
	f := &failure{status: a.status, reason: "backendError", message: "Backend Error"}
	switch a.status {
	case http.StatusNotFound:
		if !g.has("storage.objects.list") { // Google hides what exists from this caller
			return g.refusal("storage.objects.get")
		}
		f.reason = "notFound"
		f.message = "No such object: " + g.call.bucket + "/" + g.call.object
	case http.StatusPreconditionFailed:
		f.reason, f.message = "conditionNotMet", failedPrecondition
	case http.StatusRequestedRangeNotSatisfiable:
		f.reason = "requestedRangeNotSatisfiable"
		f.message = "The requested range cannot be satisfied."
	case http.StatusBadRequest:
		f.reason, f.message = "invalid", "Invalid value."
		if strings.Contains(strings.ToLower(a.body.String()), "md5") {
			f.message = wrongMD5
		}
	}
	return f
}
