package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/limits"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// transport authenticates every request, gives it its operation (package
// limits), and checks the form of its answer. The SDK's own transport
// authenticates too, but it adds a quota project of the worker's
// environment, and its errors do not say whether the token or the request
// failed.
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
	operation := operationOf(r, isRead)
	r = r.WithContext(limits.For(r.Context(), operation)) // a copy: the original is the SDK's
	r.Header = r.Header.Clone()
	if operation == limits.ListJSON {
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
	if resp.StatusCode >= http.StatusMultipleChoices {
		return resp, nil
	}
	switch operation {
	case limits.ListJSON:
		err = checkListing(r.Context(), resp)
	case limits.DescribeJSON, limits.WriteJSON:
		err = checkObject(resp)
	}
	if err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// operationOf returns the operation of a request.
func operationOf(r *http.Request, isRead bool) limits.Operation {
	switch {
	case isRead:
		return limits.Read
	case isListing(r):
		return limits.ListJSON
	case isUpload(r.Context()):
		return limits.WriteJSON
	case r.Method == http.MethodDelete:
		return limits.Delete
	}
	return limits.DescribeJSON
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
