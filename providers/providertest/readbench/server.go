//go:build unix

package readbench

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// serveVariable makes TestServeReads serve.
const serveVariable = "STEVEDORE_BENCH_SERVE"

// startServer runs TestServeReads in a process of its own, so that
// its processor time is not counted. It makes this process trust the
// server's certificate.
func startServer(b *testing.B) (plain, secure string) {
	b.Helper()
	c := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestServeReads$")
	c.Env = append(os.Environ(), serveVariable+"=1")
	stdin, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = stdin.Close(), c.Wait() })

	lines := bufio.NewReader(stdout)
	var cert string
	for _, s := range []*string{&plain, &secure, &cert} {
		line, err := lines.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		*s = strings.TrimSpace(line)
	}
	b.Setenv("SSL_CERT_FILE", cert)
	return plain, secure
}

// Serve is the server of Bench. It runs until its standard input
// ends. In an ordinary test run it does nothing.
func (c Cloud) Serve(t *testing.T) {
	t.Helper()
	if os.Getenv(serveVariable) == "" {
		return
	}
	body := make([]byte, HeadBytes)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		setHeaders(w.Header(), c.Answer)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(body)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()

	cert := filepath.Join(t.TempDir(), "cert.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(cert, block, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintf(os.Stdout, "%s\n%s\n%s\n", plain.URL, secure.URL, cert)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// setHeaders sets the headers that all clouds send, and those of one
// cloud.
func setHeaders(h http.Header, own map[string]string) {
	h.Set("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Range", "bytes 0-16383/500000")
	h.Set("Content-Length", "16384")
	for name, value := range own {
		h.Set(name, value)
	}
}

// memoryTransport answers every request with the same bytes.
type memoryTransport struct {
	header map[string]string
	body   []byte
}

func (m memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{}
	setHeaders(h, m.header)
	return &http.Response{
		StatusCode:    http.StatusPartialContent,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Request:       r,
		Header:        h,
		ContentLength: int64(len(m.body)),
		Body:          io.NopCloser(bytes.NewReader(m.body)),
	}, nil
}
