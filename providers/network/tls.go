package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// minCertificateLeft is how long a certificate must still be valid,
// or its end is warned of.
const minCertificateLeft = 14 * 24 * time.Hour

// tls makes the handshake. For a plain http URL it finds out instead
// whether the server wants TLS.
func (d *diagnosis) tls(ctx context.Context) tasks.Check {
	if d.target.isPlain() {
		return d.withoutTLS(ctx)
	}
	config := &tls.Config{ServerName: d.target.host, RootCAs: d.roots, MinVersion: tls.VersionTLS12}
	conn := tls.Client(d.conn, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return d.target.handshakeFailed(err)
	}
	d.conn = conn
	return d.target.certificateCheck(conn.ConnectionState(), time.Now())
}

func (d *diagnosis) withoutTLS(ctx context.Context) tasks.Check {
	d.answer = d.ask(ctx)
	if d.answer.wantsTLS {
		return check.Fail("TLSRequired", d.target.hostPort()+" speaks TLS, not plain http",
			"Write "+d.target.otherScheme()+" instead of "+d.target.text+".")
	}
	return check.Skip("plain http: nothing is encrypted")
}

// certificateCheck warns if a certificate of the chain, up to the
// root, is about to expire.
func (e endpoint) certificateCheck(s tls.ConnectionState, now time.Time) tasks.Check {
	first := s.PeerCertificates[0] // the first one to expire
	for _, chain := range s.VerifiedChains[:min(1, len(s.VerifiedChains))] {
		for _, cert := range chain {
			if cert.NotAfter.Before(first.NotAfter) {
				first = cert
			}
		}
	}
	end := formatTime(first.NotAfter)
	if left := first.NotAfter.Sub(now); left < minCertificateLeft {
		days := int(left / (24 * time.Hour))
		return check.Warn("CertificateExpiresSoon",
			fmt.Sprintf("the certificate ends at %s, in %d days", end, days),
			"Renew the certificate of "+e.host+"; afterwards no worker can connect.")
	}
	return check.OK(tls.VersionName(s.Version) + ", certificate until " + end)
}

// handshakeFailed explains why a TLS handshake failed.
func (e endpoint) handshakeFailed(err error) tasks.Check {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return check.Fail("NotTLS", e.hostPort()+" speaks plain http, not TLS",
			"Write "+e.otherScheme()+" instead of "+e.text+".")
	case errors.As(err, &record):
		return check.Fail("NotTLS", e.hostPort()+" does not speak TLS",
			"Check the port in the endpoint, "+e.port+": another kind of server listens there.")
	case isTimeout(err):
		return check.Fail(codeTimeout, e.hostPort()+" took the connection and then said nothing",
			"Check the port in the endpoint, "+e.port+
				"; a firewall or a proxy may hold the connection.")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return check.Fail("TLSFailed",
			e.hostPort()+" ended the connection during the TLS handshake",
			"Check the port in the endpoint, "+e.port+
				", and what is between the workers and "+e.host+".")
	}
	if c, ok := e.certificateFailed(err); ok {
		return c
	}
	return check.Fail("TLSFailed", driver.CauseText(err),
		"Let the server at "+e.hostPort()+" offer TLS 1.2 or 1.3 without client certificates.")
}

// certificateFailed explains why a certificate is refused. It returns
// false if err has another cause.
func (e endpoint) certificateFailed(err error) (tasks.Check, bool) {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	evidence := driver.Printable(err.Error())
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return e.certificateOutdated(invalid.Cert, time.Now()), true
	case errors.As(err, &name):
		return check.Fail("WrongHost", evidence,
			"Use a host name that the certificate covers instead of "+e.host+
				", or give the server a certificate for "+e.host+
				". A wildcard covers a single label: "+
				"a bucket with dots in its name must be in the path."), true
	case errors.As(err, &unknown):
		return check.Fail("UnknownAuthority", evidence+issuer(unknown.Cert),
			"Give the workers the certificate of that authority with SSL_CERT_FILE "+
				"or SSL_CERT_DIR; if the authority is a public one, "+
				"let the server send its intermediate certificates too."), true
	case errors.As(err, &invalid):
		return check.Fail("CertificateInvalid", evidence,
			"Give "+e.host+" a certificate that is valid for servers."), true
	}
	return tasks.Check{}, false
}

// certificateOutdated tells both times, because the worker's clock
// may be the one that is wrong.
func (e endpoint) certificateOutdated(cert *x509.Certificate, now time.Time) tasks.Check {
	code, text := "CertificateExpired", "ended at "+formatTime(cert.NotAfter)
	if now.Before(cert.NotBefore) {
		code, text = "CertificateNotYetValid", "begins at "+formatTime(cert.NotBefore)
	}
	return check.Fail(code, "the certificate "+text+"; the worker's clock says "+formatTime(now),
		"Renew the certificate of "+e.host+
			"; if that time is wrong, set the worker's clock (NTP) instead.")
}

func issuer(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	return ": " + driver.Printable(cert.Issuer.String())
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
