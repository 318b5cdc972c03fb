package main

import (
	"context"
	"errors"
	"io"
	"log" //nolint:depguard // what the proxy takes
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
)

// s3Gate stands in front of the gateway and passes everything on as it came,
// the host name included, because it is signed. Where a test has asked for a
// fault, it answers as AWS would, or spoils the gateway's answer.
type s3Gate struct {
	url   string
	proxy *httputil.ReverseProxy

	mu     sync.Mutex
	faults []*s3Fault
	made   int // faults in all; the last one's ID
}

// startS3Gate listens until ctx ends.
func startS3Gate(ctx context.Context, gateway string) (*s3Gate, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &s3Gate{url: "http://" + l.Addr().String()}
	g.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", gateway, r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery // signed as it is
		},
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 512},
		FlushInterval:  -1, // what a fault lets through must arrive
		ModifyResponse: spoil,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, //nolint:forbidigo // how net/http breaks off
		ErrorLog:       log.New(io.Discard, "", 0),                                                      // clients that break off are a part of the tests
	}
	server := &http.Server{Handler: g, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = server.Serve(l) }() // ends with ctx
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return g, nil
}

// ServeHTTP implements http.Handler.
func (g *s3Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := parseS3(r)
	f := g.fault(call)
	if f == nil {
		g.proxy.ServeHTTP(w, r)
		return
	}
	if told := f.told(call); told != nil {
		told.write(w)
		return
	}
	g.proxy.ServeHTTP(eager{w}, r.WithContext(context.WithValue(r.Context(), spoilKey{}, f)))
}

// fault finds the first fault whose turn it is.
func (g *s3Gate) fault(call s3Call) *s3Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		if f.fits(call) && f.turn() {
			return f
		}
	}
	return nil
}

// spoilKey finds the fault of a request's answer in the request's context.
type spoilKey struct{}

var errLost = errors.New("the answer is lost")

// spoil makes a gateway's answer slow, short or lost.
func spoil(resp *http.Response) error {
	f, _ := resp.Request.Context().Value(spoilKey{}).(*s3Fault)
	if f == nil {
		return nil
	}
	if f.Name == "LostAnswer" {
		return errLost
	}
	resp.Body = &spoiled{ReadCloser: resp.Body, gone: resp.Request.Context().Done(), fault: f, left: f.Bytes}
	return nil
}

// eager sends an answer's header at once: a body that breaks off before its
// first byte must still have begun.
type eager struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (e eager) WriteHeader(status int) {
	e.ResponseWriter.WriteHeader(status)
	_ = http.NewResponseController(e.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (e eager) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// s3Call is what a request wants, from whom.
type s3Call struct {
	op          string // list, versions, get, stat, put, delete, create, part, complete, abort or other
	bucket, key string
	accessKey   string // empty for nobody
	region      string // that the request is signed for
}

// parseS3 reads a request in path style.
func parseS3(r *http.Request) s3Call {
	var c s3Call
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); len(parts) > 2 {
		c.accessKey, c.region = parts[0], parts[2]
	}
	c.op = opOf(r, c.key)
	return c
}

func opOf(r *http.Request, key string) string {
	query := r.URL.Query()
	if key == "" {
		switch {
		case r.Method != http.MethodGet:
			return "other"
		case query.Has("versions"):
			return "versions"
		case query.Has("list-type"):
			return "list"
		}
		return "other"
	}
	upload := query.Has("uploadId")
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		return "create"
	case r.Method == http.MethodPost && upload:
		return "complete"
	case r.Method == http.MethodPut && upload:
		return "part"
	case r.Method == http.MethodDelete && upload:
		return "abort"
	}
	return map[string]string{
		http.MethodGet: "get", http.MethodHead: "stat", http.MethodPut: "put", http.MethodDelete: "delete",
	}[r.Method]
}
