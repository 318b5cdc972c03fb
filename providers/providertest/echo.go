package providertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// EchoServer starts a server that answers every request with the
// value of one of its headers, and not in HTTP. The error of net/http
// repeats the start of such an answer. EchoServer returns its URL.
func EchoServer(t testing.TB, header string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, r.Header.Get(header)+"\r\n\r\n")
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	return server.URL
}
