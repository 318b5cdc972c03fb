package gcs

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// bearer adds a login's token to every request, and bounds what an answer can
// make the worker hold in memory. Google's own transport would do the former,
// but it also adds a quota project of the worker's and forgets who failed:
// the login or the request.
type bearer struct {
	who  login
	next http.RoundTripper
	last atomic.Pointer[string] // the token that was sent, which no error may show
}

const (
	maxAnswer  = 32 << 20 // bytes of JSON; a page of 1000 objects with the longest metadata has 9 MB
	maxTrouble = 256 << 10
)

// RoundTrip implements http.RoundTripper.
func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	media := strings.Contains(r.URL.RawQuery, "alt=media") // as the client writes it; parsing would cost every read
	list := isList(r)
	r = r.WithContext(r.Context())
	r.Header = r.Header.Clone()
	if list {
		r.URL = withKind(r.URL)
	}
	if media {
		// An object that was stored compressed is read as it was stored,
		// because its size and its ranges are those of what was stored
		// (https://cloud.google.com/storage/docs/transcoding). The client's
		// own option works for XML only.
		r.Header.Set("Accept-Encoding", "gzip")
	}
	if !b.who.anonymous() {
		token, err := b.who.tokens.Token(r.Context())
		if err == nil && token.Value == "" {
			err = errors.New("the answer holds no token")
		}
		if err != nil {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, &loginError{err}
		}
		b.last.Store(&token.Value)
		r.Header.Set("Authorization", "Bearer "+token.Value)
	}
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode >= http.StatusMultipleChoices:
		resp.Body = limited{io.LimitReader(resp.Body, maxTrouble), resp.Body}
	case list:
		if err := checkKind(resp); err != nil {
			return nil, err
		}
	case !media:
		resp.Body = limited{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, nil
}

type limited struct {
	io.Reader
	io.Closer
}

// loginError is a request that was never made, because the token for it could
// not be had.
type loginError struct{ err error }

func (e *loginError) Error() string { return "no token: " + e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }
