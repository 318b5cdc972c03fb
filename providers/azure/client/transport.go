package client

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// transport sends the SDK's requests. It removes the URL from the errors
// of net/http, because a SAS token is part of the URL.
type transport struct{ client *http.Client }

// Do implements policy.Transporter.
func (t transport) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		body := &attemptBody{ReadCloser: r.Body}
		defer body.end()
		r = r.WithContext(r.Context()) // a copy: the original is the SDK's
		r.Body = body
	}
	resp, err := t.client.Do(r)
	return resp, withoutURL(err)
}

func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

// attemptBody is the request's body during one attempt. net/http may read
// from a body for a while after the attempt has failed, when the SDK
// already rewinds it for the next attempt. After end, Read fails. It is
// safe for concurrent use.
type attemptBody struct {
	io.ReadCloser
	mu    sync.Mutex
	ended bool // guarded by mu
}

func (b *attemptBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.ReadCloser.Read(p)
}

func (b *attemptBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// blobTransport sends requests to the blob service. Every answer of the
// service has a request ID ("Common REST API headers"). An answer without
// it comes from another server, so blobTransport returns an error and
// nothing of the answer.
type blobTransport struct{ transport }

// Do implements policy.Transporter.
func (t blobTransport) Do(r *http.Request) (*http.Response, error) {
	resp, err := t.transport.Do(r.WithContext(limits.For(r.Context(), operationOf(r))))
	if err != nil {
		return nil, err
	}
	if resp.Header.Get("x-ms-request-id") == "" {
		_ = resp.Body.Close()
		return nil, azerror.NotAzure(resp.StatusCode)
	}
	return resp, nil
}

// operationOf returns the operation of a request to the blob service.
func operationOf(r *http.Request) limits.Operation {
	part := r.URL.Query().Get("comp")
	switch {
	case part == "list":
		return limits.LongListXML
	case r.Method == http.MethodGet && part == "":
		return limits.Read
	case r.Method == http.MethodDelete:
		return limits.Delete
	case r.Method == http.MethodPut:
		return limits.Write
	}
	return limits.Describe
}
