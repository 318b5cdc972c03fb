package driver_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/limits"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// requestError wraps an error as HTTP clients do.
func requestError(err error) error {
	return fmt.Errorf("operation error: %w", &url.Error{Op: "Get", URL: "https://host/?sig=secret", Err: err})
}

func TestUnreached(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for name, c := range map[string]struct {
		err  error
		kind providers.Kind
		fix  string
	}{
		"Blocked": {
			dial(&egress.BlockedError{Addr: netip.MustParseAddr("10.0.0.1"), Rule: "private network"}),
			providers.Blocked, setting.EgressAllow.String(),
		},
		"PlainHTTP":         {http.ErrSchemeMismatch, providers.Invalid, "write http://"},
		"PlainHTTPRecord":   {tls.RecordHeaderError{RecordHeader: [5]byte([]byte("HTTP/"))}, providers.Invalid, "write http://"},
		"NotTLS":            {tls.RecordHeaderError{}, providers.Invalid, "certificate"},
		"UnknownHost":       {&net.DNSError{IsNotFound: true, Name: "host"}, providers.Unavailable, "host name is unknown"},
		"DNSTimeout":        {&net.DNSError{IsTimeout: true, Name: "host"}, providers.Unavailable, ""},
		"ConnectionRefused": {dial(syscall.ECONNREFUSED), providers.Unavailable, "Nothing listens"},
		"OnlyTheText":       {errors.New("said connection refused, x509: and tls: in a text"), providers.Unavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := driver.Unreached(requestError(c.err))
			if e.Kind != c.kind || !strings.Contains(e.Fix, c.fix) || c.fix == "" && e.Fix != "" {
				t.Errorf("got kind %s and fix %q", e.Kind, e.Fix)
			}
			if strings.Contains(e.Error(), "secret") {
				t.Errorf("the URL is repeated: %v", e)
			}
		})
	}
}

// An error tells nothing about the network of the workers.
func TestUnreached_OwnAddressesAreNotTold(t *testing.T) {
	t.Parallel()
	own, public := &net.TCPAddr{IP: net.IPv4(10, 9, 8, 7), Port: 4242}, &net.TCPAddr{IP: net.IPv4(52, 1, 2, 3), Port: 443}
	for name, err := range map[string]error{
		"DNS server": &net.DNSError{
			Err: "read udp 10.9.8.7:4242->10.9.0.10:53: refused", Name: "host", Server: "10.9.0.10:53", IsTemporary: true,
		},
		"DNS timeout": &net.DNSError{Err: "i/o timeout", Name: "host", Server: "10.9.0.10:53", IsTimeout: true},
		"no host":     &net.DNSError{Err: "no such host", Name: "host", Server: "10.9.0.10:53", IsNotFound: true},
		"reset":       &net.OpError{Op: "read", Net: "tcp", Source: own, Addr: public, Err: syscall.ECONNRESET},
	} {
		e := driver.Unreached(requestError(err))
		if text := fmt.Sprintf("%v %+v", e, e.Err); strings.Contains(text, "10.9.") || !strings.Contains(text, "host") && !strings.Contains(text, "reset") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// A server cannot fill logs and records with its first line.
func TestUnreached_LongAnswer(t *testing.T) {
	t.Parallel()
	addr := listen(t, strings.Repeat("x", 200_000)+"\r\n\r\n")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("the request succeeded")
	}
	e := driver.Unreached(err)
	if n := len(e.Error()); n > 1000 || e.Kind != providers.Invalid || e.Fix == "" {
		t.Errorf("%d bytes, kind %s, fix %q", n, e.Kind, e.Fix)
	}
}

// Real servers and a real client cause the errors that Unreached
// knows.
func TestUnreached_RealServers(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	trusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(trusted.Close)
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	t.Cleanup(old.Close)
	alert := listen(t, "\x15\x03\x01\x00\x02\x02\x46")
	client := egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}.Client()
	client.Timeout = 10 * time.Second

	for name, c := range map[string]struct{ url, fix string }{
		"PlainHTTP":        {strings.Replace(plain.URL, "http:", "https:", 1), "write http://"},
		"UnknownAuthority": {trusted.URL, "certificate"},
		"OldTLS":           {old.URL, "certificate"},
		"NotHTTP":          {"http://" + alert, "write https://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(limits.For(t.Context(), limits.Read), http.MethodGet, c.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
				t.Fatal("the request succeeded")
			}
			if e := driver.Unreached(err); e.Kind != providers.Invalid || !strings.Contains(e.Fix, c.fix) {
				t.Errorf("%v: got kind %s and fix %q", err, e.Kind, e.Fix)
			}
		})
	}
}

// listen serves an answer to the first connection, and returns the
// address.
func listen(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = conn.Write([]byte(answer))
		_ = conn.Close()
	}()
	return l.Addr().String()
}
