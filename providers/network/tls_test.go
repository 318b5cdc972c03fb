package network

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

func mustEndpoint(t testing.TB, text string) endpoint {
	t.Helper()
	e, ok := parseEndpoint(text)
	if !ok {
		t.Fatalf("%q is no endpoint", text)
	}
	return e
}

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	a := authority{}
	a.cert, a.key = a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func (a authority) sign(t testing.TB, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// server starts a TLS server with a certificate of the authority.
func (a authority) server(t testing.TB, from, until time.Duration, host string) *httptest.Server {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	cert, key := a.sign(t, template)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestDiagnose_TLS(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	own := newAuthority(t)
	for name, c := range map[string]struct {
		server              *httptest.Server
		stranger            bool
		want, evidence, fix string
	}{
		"good":            {own.server(t, -day, 90*day, "127.0.0.1"), false, "tls ok, clock ok", "TLS 1.3, certificate until 20", ""},
		"ends soon":       {own.server(t, -day, 3*day+time.Hour, "127.0.0.1"), false, "tls warn CertificateExpiresSoon, clock ok", "in 3 days", "Renew the certificate of 127.0.0.1"},
		"expired":         {own.server(t, -9*day, -day, "127.0.0.1"), false, "tls fail CertificateExpired, clock skipped", "ended at 20", "Renew"},
		"not yet valid":   {own.server(t, day, 9*day, "127.0.0.1"), false, "tls fail CertificateNotYetValid, clock skipped", "begins at 20", "NTP"},
		"another host":    {own.server(t, -day, 90*day, "other.example"), false, "tls fail WrongHost, clock skipped", "127.0.0.1", "instead of 127.0.0.1"},
		"another's chain": {own.server(t, -day, 90*day, "127.0.0.1"), true, "tls fail UnknownAuthority, clock skipped", "Test Authority", "SSL_CERT_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := loopback(t)
			if !c.stranger {
				n.roots = own.roots()
			}
			checks := n.diagnose(t.Context(), c.server.URL)
			if got := brief(checks[3:]); got != c.want {
				t.Fatalf("%s: %+v", got, checks[3])
			}
			wantCheck(t, checks[3], c.evidence, c.fix)
		})
	}
}

func TestDiagnose_WrongScheme(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	c := only(t, loopback(t).diagnose(t.Context(), strings.Replace(plain.URL, "http:", "https:", 1)))
	if c.ID != "tls" || c.Code != "NotTLS" {
		t.Errorf("%+v", c)
	}
	wantCheck(t, c, "speaks plain http", "Write "+plain.URL+" instead of https://")

	secure := newAuthority(t).server(t, -time.Hour, time.Hour, "127.0.0.1")
	alert := listener(t, func(c net.Conn) { // as OpenSSL answers
		_, _ = c.Write([]byte{tlsAlert, 3, 3, 0, 2, 2, 70})
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	})
	for _, host := range []string{strings.TrimPrefix(secure.URL, "https://"), alert} {
		checks := loopback(t).diagnose(t.Context(), "http://"+host)
		if got := brief(checks[3:]); got != "tls fail TLSRequired, clock skipped" {
			t.Errorf("%s: %+v", got, checks[3])
		}
		wantCheck(t, checks[3], "speaks TLS", "Write https://"+host+" instead of http://"+host)
	}
}

func TestDiagnose_OtherServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do         func(net.Conn)
		code, text string
	}{
		"ssh":    {func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n"); hold(c) }, "NotTLS", "does not speak TLS"},
		"closes": {func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)); _ = c.Close() }, "TLSFailed", "ended the connection"},
		"alert":  {func(c net.Conn) { _, _ = c.Write([]byte{tlsAlert, 3, 3, 0, 2, 2, 40}); hold(c) }, "TLSFailed", "handshake failure"},
		"silent": {hold, "timeout", "said nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if name == "silent" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Second)
				defer cancel()
			}
			got := only(t, loopback(t).diagnose(ctx, "https://"+listener(t, c.do)))
			if got.ID != "tls" || got.Status != tasks.CheckFail || got.Code != c.code {
				t.Errorf("%+v", got)
			}
			wantCheck(t, got, c.text, "")
		})
	}
}

// hold keeps a connection until the other side closes it.
func hold(c net.Conn) {
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
}
