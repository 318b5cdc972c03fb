package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// gcsServer is Google Cloud Storage: fake-gcs-server, which stores and lists
// but lets everybody do everything, behind a gate that knows accounts, tokens
// and permissions and answers in Google's words. Bodies and statuses are
// those of https://cloud.google.com/storage/docs/json_api/v1/status-codes and
// https://cloud.google.com/storage/docs/xml-api/reference-status.
type gcsServer struct {
	url      string
	fake     *fakestorage.Server
	accounts *gcsAccounts

	mu      sync.Mutex
	buckets map[string]gcsBucket
	made    map[string]*sync.Mutex // a lock a bucket, for what the fake does not do in one step
}

// gcsBucket is what a test says about a bucket.
type gcsBucket struct {
	Grants            map[string][]string `json:"grants"`                   // permissions of an email or of allUsers
	RequesterPays     bool                `json:"requester_pays"`           // requests must name a project
	Billers           map[string][]string `json:"billers"`                  // projects that an email may name
	NoPublic          bool                `json:"public_access_prevention"` // allUsers has nothing, whatever is granted
	Versioning        bool                `json:"versioning"`               // only when the bucket is made
	KMSKey            string              `json:"kms_key"`                  // that objects are said to be encrypted with
	CORS              []gcsCORS           `json:"cors"`                     //
	NoTestPermissions bool                `json:"no_test_permissions"`      // as servers that only resemble Google's
	Faults            map[string]gcsFault `json:"faults"`                   // by operation, or "any"
}

// gcsFault is an answer instead of the right one.
type gcsFault struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

type gcsCORS struct {
	Origin         []string `json:"origin"`
	Method         []string `json:"method"`
	ResponseHeader []string `json:"responseHeader"`
}

// startGCS listens until ctx ends.
func startGCS(ctx context.Context) (*gcsServer, error) {
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true})
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &gcsServer{
		url: "http://" + l.Addr().String(), fake: fake, buckets: map[string]gcsBucket{}, made: map[string]*sync.Mutex{},
	}
	if s.accounts, err = newGCSAccounts(s.url + gcsTokenPath); err != nil {
		return nil, err
	}
	server := &http.Server{Handler: s, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = server.Serve(l) }() // ends with ctx
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return s, nil
}

// env is the lines that tests find the server by.
func (s *gcsServer) env() string {
	return "export STEVEDORE_TEST_GCS_ENDPOINT=" + s.url + "\nexport STEVEDORE_TEST_GCS_TOKEN_URL=" + s.url + gcsTokenPath + "\n"
}

// ServeHTTP implements http.Handler.
func (s *gcsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == gcsTokenPath:
		s.accounts.serveToken(w, r)
		return
	case strings.HasPrefix(r.URL.Path, gcsActPath):
		s.accounts.serveActing(w, r)
		return
	}
	call, ok := parseGCS(r)
	if !ok {
		gcsError{http.StatusNotFound, "notFound", "Not Found"}.write(w, call)
		return
	}
	s.mu.Lock()
	b, exists := s.buckets[call.bucket]
	lock := s.made[call.bucket]
	s.mu.Unlock()
	if r.Method == http.MethodOptions {
		b.preflight(w, r, call)
		return
	}
	caller, known := s.accounts.caller(r)
	switch {
	case !known:
		gcsError{http.StatusUnauthorized, "authError", "Invalid Credentials"}.write(w, call)
	case !exists:
		gcsError{http.StatusNotFound, "notFound", "The specified bucket does not exist."}.write(w, call)
	default:
		g := gcsGate{server: s, bucket: b, call: call, caller: caller, root: s.accounts.isRoot(caller)}
		g.inTurn(w, r, lock)
	}
}

// gcsCall is a request to a bucket.
type gcsCall struct {
	op     string // list, get, create, continue, delete, stat, test or bucket
	bucket string
	object string
	xml    bool // of the XML API, which words errors differently
}

// parseGCS finds out what a request wants.
func parseGCS(r *http.Request) (gcsCall, bool) {
	path := r.URL.EscapedPath()
	upload := strings.HasPrefix(path, "/upload/")
	rest, isJSON := strings.CutPrefix(strings.TrimPrefix(path, "/upload"), "/storage/v1/b/")
	if !isJSON {
		bucket, object, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		return gcsCall{op: "get", bucket: unescaped(bucket), object: unescaped(object), xml: true}, bucket != ""
	}
	bucket, rest, _ := strings.Cut(rest, "/")
	call := gcsCall{bucket: unescaped(bucket), object: unescaped(strings.TrimPrefix(rest, "o/"))}
	query := r.URL.Query()
	switch {
	case upload && query.Has("upload_id"):
		call.op, call.object = "continue", query.Get("name")
	case upload:
		call.op, call.object = "create", query.Get("name")
	case rest == "iam/testPermissions":
		call.op = "test"
	case rest == "":
		call.op = "bucket"
	case rest == "o":
		call.op = "list"
	case r.Method == http.MethodDelete:
		call.op = "delete"
	case query.Get("alt") == "media":
		call.op = "get"
	default:
		call.op = "stat"
	}
	return call, true
}

func unescaped(segment string) string {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		return segment
	}
	return plain
}
