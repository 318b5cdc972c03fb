package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const (
	// maxAnswer bounds answers in JSON, in bytes. A page of 1000 objects
	// with the longest metadata has 9 MB.
	maxAnswer      = 32 << 20
	maxErrorAnswer = 256 << 10 // bytes
)

// transport authenticates every request, and limits how much memory an
// answer can take. The SDK's own transport authenticates too, but it adds
// a quota project of the worker's environment, and its errors do not say
// whether the token or the request failed.
type transport struct {
	authorize func(*http.Request) error
	next      http.RoundTripper
}

// RoundTrip implements http.RoundTripper. In an upload it returns a panic
// as an error, because there it runs in a goroutine of the SDK, where a
// panic would end the process.
func (t *transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if !isUpload(r.Context()) {
		return t.send(r)
	}
	err = guard.Call(func() (err error) {
		resp, err = t.send(r) //nolint:bodyclose // the SDK closes it
		return err
	})
	return resp, err
}

type uploadKey struct{}

// asUpload returns the context for the requests of an upload.
func asUpload(ctx context.Context) context.Context {
	return context.WithValue(ctx, uploadKey{}, true)
}

func isUpload(ctx context.Context) bool { return ctx.Value(uploadKey{}) != nil }

func (t *transport) send(r *http.Request) (*http.Response, error) {
	// The SDK writes it so. Parsing the query would make every read
	// slower.
	isRead := strings.Contains(r.URL.RawQuery, "alt=media")
	isList := isListing(r)
	r = r.WithContext(r.Context()) // a copy: the original is the SDK's
	r.Header = r.Header.Clone()
	if isList {
		r.URL = withKind(r.URL)
	}
	if isRead {
		// An object that was stored compressed is read as it was stored,
		// because its size and its ranges are those of the stored bytes
		// (https://cloud.google.com/storage/docs/transcoding). The SDK's
		// own option has an effect on the XML API only.
		r.Header.Set("Accept-Encoding", "gzip")
	}
	if err := t.authorize(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}

	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode >= http.StatusMultipleChoices:
		driver.LimitBody(resp, maxErrorAnswer)
	case isList:
		if err := checkKind(resp); err != nil {
			return nil, err
		}
	case !isRead:
		driver.LimitBody(resp, maxAnswer)
	}
	return resp, nil
}

// isListing reports whether a request asks for a listing: GET
// /storage/v1/b/BUCKET/o.
func isListing(r *http.Request) bool {
	_, rest, _ := strings.Cut(r.URL.EscapedPath(), "/b/")
	_, rest, _ = strings.Cut(rest, "/")
	return r.Method == http.MethodGet && rest == "o"
}

// withKind adds "kind" to the fields of the answer that a URL asks for.
func withKind(u *url.URL) *url.URL {
	query := u.Query()
	if fields := query.Get("fields"); fields != "" {
		query.Set("fields", "kind,"+fields)
	}
	changed := *u
	changed.RawQuery = query.Encode()
	return &changed
}

// listingKind is the kind of every listing: "For lists of objects, this
// is always storage#objects"
// (https://cloud.google.com/storage/docs/json_api/v1/objects/list).
const listingKind = `storage#objects`

// checkKind returns an error for an answer that is not a listing. The SDK
// accepts any JSON as a listing without objects, so the answer of another
// server would look like an empty bucket. checkKind reads the whole
// answer into memory, which the SDK would do anyway.
func checkKind(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	if err == nil && !bytes.Contains(body, []byte(listingKind)) {
		err = gcserror.NotGCS(resp.StatusCode)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return err
}
