package limits

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Transport returns a transport that sends requests with next and keeps
// to the limits of their operations. It refuses a request without an
// operation. It is safe for concurrent use.
//
// For a failure (a status from 300 on) it reads the whole answer before
// it returns: at most 64 KiB.
func Transport(next http.RoundTripper) http.RoundTripper {
	return transport{next, make(places, maxLarge), make(places, maxDecoding())}
}

type transport struct {
	next     http.RoundTripper
	large    places
	decoding places
}

// CloseIdleConnections is called by http.Client.CloseIdleConnections.
func (t transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	l, ok := limitOf(r)
	if !ok {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, noOperation()
	}
	ctx, cancel := context.WithCancel(r.Context())
	asked := request{l.name, r.URL.Host}
	upload := newUpload(asked, cancel)
	resp, err := t.next.RoundTrip(upload.watched(r.WithContext(ctx)))
	if err = upload.end(err); err != nil {
		cancel()
		return nil, asked.failed(resp, err)
	}
	if resp.StatusCode < http.StatusOK {
		_ = resp.Body.Close()
		cancel()
		return nil, asked.switched(resp.StatusCode)
	}
	if resp.Body == http.NoBody {
		cancel()
		return resp, nil
	}

	resp.Request = r
	body := t.newBody(resp.Body, asked, l, cancel)
	resp.Body = body
	if resp.StatusCode >= http.StatusMultipleChoices {
		return readFailure(resp, body)
	}
	resp.Body = t.paged(r.Context(), body)
	return resp, nil
}

func (t transport) newBody(
	from io.ReadCloser, r request, l limit, cancel context.CancelFunc,
) *body {
	b := &body{from: from, request: r, limit: l, cancel: cancel, place: place{of: t.large}}
	if l.counts != nil {
		b.form = l.counts()
	}
	return b
}

// failed closes the answer to a request that has failed, if there is
// one, and returns the error.
func (r request) failed(resp *http.Response, err error) error {
	if resp != nil {
		_ = resp.Body.Close()
	}
	if isHeaderTooLarge(err) {
		return r.tooMuch("a header longer than " + size(MaxHeader))
	}
	return err
}

// readFailure reads the description of a failure into memory. If it
// breaks off, that is for the reader of the answer to notice.
func readFailure(resp *http.Response, b *body) (*http.Response, error) {
	b.limit = limit{b.limit.name, maxShort, nil}
	content, err := io.ReadAll(b)
	_ = b.Close()
	var beyond *providers.Error
	switch {
	case errors.As(err, &beyond) && beyond.Code == CodeTooMuch:
		return nil, b.request.failureTooMuch(resp)
	case errors.As(err, &beyond):
		return nil, err
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(content), failing{err}))
	return resp, nil
}

// failing fails with err. If that is nil, it is at its end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
