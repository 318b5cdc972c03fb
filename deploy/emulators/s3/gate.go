// Package s3 stands in front of an S3 server and makes it fail as AWS
// does, where a test asks for a fault. It also makes the buckets of
// tests.
package s3

import (
	"context"
	"errors"
	"io"
	"log" //nolint:depguard // the type that httputil.ReverseProxy takes
	"net/http"
	"net/http/httputil"
	"sync"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Gate is a proxy. It passes every request on unchanged, with the
// host name, because both are signed. For a request that a fault
// matches, it answers as AWS would, or damages the server's answer.
type Gate struct {
	url    string
	proxy  *httputil.ReverseProxy
	orders orders

	mu     sync.Mutex
	faults []*fault
	lastID int
}

// StartGate serves a gate in front of the S3 server at addr until ctx
// ends. buckets belong to that server.
func StartGate(ctx context.Context, addr string, buckets Buckets) (*Gate, error) {
	g := &Gate{orders: orders{buckets: buckets}}
	g.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", addr, r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery // signed, so it must not be normalised
		},
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 512},
		FlushInterval:  -1, // bytes before a fault must arrive
		ModifyResponse: g.modify,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) //nolint:forbidigo // net/http closes the connection on it
		},
		ErrorLog: log.New(io.Discard, "", 0), // tests close connections on purpose
	}
	var err error
	g.url, err = web.Serve(ctx, g)
	return g, err
}

// URL returns the endpoint for S3 clients.
func (g *Gate) URL() string { return g.url }

// ServeHTTP implements http.Handler.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := parseCall(r)
	f := g.match(call)
	if f == nil {
		g.proxy.ServeHTTP(w, r)
		return
	}
	if a := f.answer(call); a != nil {
		a.write(w)
		return
	}
	ctx := context.WithValue(r.Context(), faultKey{}, f)
	g.proxy.ServeHTTP(headerFlusher{w}, r.WithContext(ctx))
}

// match returns the first fault that happens to a request; nil for
// none.
func (g *Gate) match(c call) *fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		if f.matches(c) && f.count() {
			return f
		}
	}
	return nil
}

// faultKey is the context key of the fault that damages a request's
// answer.
type faultKey struct{}

func (g *Gate) modify(resp *http.Response) error {
	if err := g.orders.rewrite(resp); err != nil {
		return err
	}
	return damage(resp)
}

var errLostAnswer = errors.New("the answer is lost")

// damage makes the server's answer slow, short or lost.
func damage(resp *http.Response) error {
	f, _ := resp.Request.Context().Value(faultKey{}).(*fault)
	if f == nil {
		return nil
	}
	if f.Name == "LostAnswer" {
		return errLostAnswer
	}
	resp.Body = &damagedBody{
		ReadCloser: resp.Body,
		fault:      f,
		intact:     f.Bytes,
		clientGone: resp.Request.Context().Done(),
	}
	return nil
}

// headerFlusher sends the header of an answer before its body: a body
// that ends before its first byte must still follow a complete
// header.
type headerFlusher struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (f headerFlusher) WriteHeader(status int) {
	f.ResponseWriter.WriteHeader(status)
	_ = http.NewResponseController(f.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (f headerFlusher) Unwrap() http.ResponseWriter { return f.ResponseWriter }
