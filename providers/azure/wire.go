package azure

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// wire is the SDK's way out. It takes the URL, and with it the SAS, out of
// the errors of net/http before anything else sees them.
type wire struct{ client *http.Client }

// Do implements policy.Transporter.
func (w wire) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		body := &lent{ReadCloser: r.Body}
		defer body.end()
		r = r.WithContext(r.Context()) // a copy: the request is the SDK's
		r.Body = body
	}
	resp, err := w.client.Do(r)
	return resp, withoutURL(err)
}

// lent is the body of one attempt. net/http may go on reading a body for a
// while after an attempt has failed, and the SDK rewinds the same one for the
// next attempt.
type lent struct {
	io.ReadCloser
	mu   sync.Mutex
	over bool
}

func (l *lent) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return 0, http.ErrBodyReadAfterClose
	}
	return l.ReadCloser.Read(p)
}

func (l *lent) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

func withoutURL(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

const (
	maxErrorBody = 64 << 10 // bytes; the service's own have at most a few KB
	maxListing   = 64 << 20 // bytes; a page of 5,000 long names with metadata has a few MB
)

// blobWire is the way to the blob service. Every answer of the service
// carries a request ID ("Common REST API headers"), so that one without it
// comes from somebody else, and nothing of it is kept. Bodies that the SDK
// reads into memory end early if they are longer than the service ever makes
// them.
type blobWire struct{ wire }

// Do implements policy.Transporter.
func (w blobWire) Do(r *http.Request) (*http.Response, error) {
	resp, err := w.wire.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.Header.Get("x-ms-request-id") == "" {
		_ = resp.Body.Close()
		return nil, notAzure(resp.StatusCode)
	}
	switch {
	case resp.StatusCode >= http.StatusMultipleChoices:
		resp.Body = limited{io.LimitReader(resp.Body, maxErrorBody), resp.Body}
	case r.URL.Query().Get("comp") == "list":
		resp.Body = limited{io.LimitReader(resp.Body, maxListing), resp.Body}
	}
	return resp, nil
}

type limited struct {
	io.Reader
	io.Closer
}

func notAzure(status int) error {
	return &providers.Error{
		Kind: driver.KindOfStatus(status), Code: "NotAzureBlob", Status: status,
		Detail: "the answer, " + strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status)) + ", is not of the blob service",
		Fix:    "Check that the endpoint is that of the blob service, not of a portal, a website or a proxy.",
	}
}
