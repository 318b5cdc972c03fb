// Package web holds what all emulators need of HTTP: a server on a
// free loopback port, JSON answers, and answers with another body.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// Serve serves handler on a free port of 127.0.0.1 until ctx ends,
// and returns the server's URL.
func Serve(ctx context.Context, handler http.Handler) (url string, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:     handler,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = server.Serve(l) }() // returns when the server is closed
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "http://" + l.Addr().String(), nil
}

// Answer writes value as JSON with status 200, or err as text with
// status 502.
func Answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

// Replace gives an answer another body.
func Replace(resp *http.Response, body []byte) {
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.TransferEncoding = nil
}

// Table holds values by name. The zero value is empty. It is safe for
// concurrent use.
type Table[V any] struct {
	mu     sync.Mutex
	values map[string]V
}

// Set stores a value.
func (t *Table[V]) Set(name string, value V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.values == nil {
		t.values = map[string]V{}
	}
	t.values[name] = value
}

// Get returns the value of a name, if there is one.
func (t *Table[V]) Get(name string) (V, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	value, ok := t.values[name]
	return value, ok
}
