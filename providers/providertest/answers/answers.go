// Package answers fuzzes what providers make of a server's answers. An
// answer is the bytes of HTTP, status line and header included. It goes
// through the whole provider, without a network and without waiting.
//
// Each cloud's test has three targets: FuzzListing, FuzzError and
// FuzzHead.
package answers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"unicode"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// Open opens a bucket whose requests all go through a client. The bucket
// must try each request once only.
type Open func(t testing.TB, client *http.Client) providers.Bucket

// client makes a client that gets an answer to its first request, and
// no answer to all others. It keeps to the limits of answers, as the
// client of a worker does.
func client(answer []byte) *http.Client {
	return &http.Client{
		Transport: limits.Transport(&transport{answer: answer}),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

type transport struct {
	answer []byte
	used   bool
}

var errNoAnswer = errors.New("no answer")

// RoundTrip implements http.RoundTripper.
func (a *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	if a.used {
		return nil, errNoAnswer
	}
	a.used = true
	from := bufio.NewReader(bytes.NewReader(a.answer))
	for {
		resp, err := http.ReadResponse(from, r)
		// net/http passes on no interim answer, and no upgrade here.
		if err != nil || resp.StatusCode >= http.StatusOK {
			return resp, err
		}
	}
}

// add adds seeds, each a status line and a header without their last
// empty line, and a body.
func add(f *testing.F, seeds [][2]string) {
	f.Helper()
	for _, seed := range seeds {
		f.Add([]byte("HTTP/1.1 " + seed[0] + "\r\n\r\n" + seed[1]))
	}
}

// maxText is the longest text that an error may take from an answer,
// in bytes. Every error is written to Redis and to logs.
const maxText = 4 << 10

// checkError checks an error that an operation returned.
func checkError(t *testing.T, op string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind == "" || e.Op == "" {
		t.Fatalf("%s: not an error of a provider: %#v", op, err)
	}
	for _, text := range []string{err.Error(), e.Advice(), e.RequestID, e.Code} {
		if len(text) > maxText {
			t.Fatalf("%s: a text of %d bytes: %.100q", op, len(text), text)
		}
		for _, r := range text {
			if unicode.IsControl(r) {
				t.Fatalf("%s: control characters: %q", op, text)
			}
		}
	}
	if e.RetryAfter < 0 {
		t.Fatalf("%s: wait for %s", op, e.RetryAfter)
	}
}

// checkObject checks an object that an operation returned.
func checkObject(t *testing.T, op string, o providers.Object) {
	t.Helper()
	if o.Size < 0 || o.Key == "" {
		t.Fatalf("%s: %+v", op, o)
	}
}
