// Package web holds what all emulators need of HTTP: a server on a
// free loopback port, and JSON answers.
package web

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
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
