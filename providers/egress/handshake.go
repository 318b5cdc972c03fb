package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// soon is how long before a certificate ends one should be told.
const soon = 14 * 24 * time.Hour

func (d *diagnosis) unconnected(err error) tasks.Check {
	at := d.hostPort()
	var blocked *BlockedError
	switch {
	case errors.As(err, &blocked): // the name meant other addresses this time
		return refusal(tasks.CheckFail, []*BlockedError{blocked}, "")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail("ConnectionRefused", "nothing listens at "+at, "Check the port in the endpoint, "+d.port()+", and that the server runs.")
	case timedOut(err):
		return fail(codeTimeout, at+" does not answer", "Let the firewalls between the workers and "+at+" pass TCP, or check host and port: nobody answers there.")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return fail("Unreachable", "there is no way to "+at+": "+clean(err.Error()), "Give the workers a route to "+d.target.Hostname()+": "+join(d.addrs, ", ")+".")
	}
	return fail("ConnectFailed", "connecting to "+at+": "+clean(err.Error()), "Check that the workers reach "+at+".")
}

// tls shakes hands, or finds out that a plain http URL leads to a server that
// wants to.
func (d *diagnosis) tls(ctx context.Context) tasks.Check {
	if d.plain() {
		return d.withoutTLS(ctx)
	}
	config := &tls.Config{ServerName: d.target.Hostname(), RootCAs: d.roots, MinVersion: tls.VersionTLS12}
	conn := tls.Client(d.conn, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return d.unshaken(err)
	}
	d.conn = conn
	return d.expiry(conn.ConnectionState(), time.Now())
}

func (d *diagnosis) withoutTLS(ctx context.Context) tasks.Check {
	d.answer = d.ask(ctx)
	if d.answer.wantsTLS {
		return fail("TLSRequired", d.hostPort()+" speaks TLS, not plain http", "Write "+d.otherScheme()+" instead of "+d.target.String()+".")
	}
	return tasks.Check{Status: tasks.CheckSkipped, Evidence: "plain http: nothing is encrypted"}
}

// expiry warns of the first certificate on the way to the root that ends
// soon.
func (d *diagnosis) expiry(s tls.ConnectionState, now time.Time) tasks.Check {
	first := s.PeerCertificates[0]
	for _, chain := range s.VerifiedChains[:min(1, len(s.VerifiedChains))] {
		for _, cert := range chain {
			if cert.NotAfter.Before(first.NotAfter) {
				first = cert
			}
		}
	}
	c := ok("%s, certificate until %s", tls.VersionName(s.Version), stamp(first.NotAfter))
	if left := first.NotAfter.Sub(now); left < soon {
		c.Status, c.Code = tasks.CheckWarn, "CertificateExpiresSoon"
		c.Evidence = fmt.Sprintf("the certificate ends at %s, in %d days", stamp(first.NotAfter), int(left/(24*time.Hour)))
		c.Fix = "Renew the certificate of " + d.target.Hostname() + "; afterwards no worker can connect."
	}
	return c
}

func (d *diagnosis) unshaken(err error) tasks.Check {
	host, at := d.target.Hostname(), d.hostPort()
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	evidence := clean(err.Error())
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return outdated(host, invalid.Cert, time.Now())
	case errors.As(err, &name):
		return fail("WrongHost", evidence, "Use a host name that the certificate covers instead of "+host+
			", or give the server a certificate for "+host+". A wildcard covers a single label: a bucket with dots in its name must stand in the path.")
	case errors.As(err, &unknown):
		return fail("UnknownAuthority", evidence+authority(unknown.Cert), "Give the workers the certificate of that authority with SSL_CERT_FILE"+
			" or SSL_CERT_DIR; if the authority is a public one, let the server send its intermediate certificates too.")
	case errors.As(err, &invalid):
		return fail("CertificateInvalid", evidence, "Give "+host+" a certificate that is valid for servers.")
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return fail("NotTLS", at+" speaks plain http, not TLS", "Write "+d.otherScheme()+" instead of "+d.target.String()+".")
	case errors.As(err, &record):
		return fail("NotTLS", at+" does not speak TLS", "Check the port in the endpoint, "+d.port()+": a server of something else listens there.")
	case timedOut(err):
		return fail(codeTimeout, at+" took the connection and then said nothing", "Check the port in the endpoint, "+d.port()+"; a firewall or a proxy may hold the connection.")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fail("TLSFailed", at+" ended the connection during the TLS handshake", "Check the port in the endpoint, "+d.port()+", and what stands between the workers and "+host+".")
	}
	return fail("TLSFailed", evidence, "Let the server at "+at+" offer TLS 1.2 or 1.3 without client certificates.")
}

// outdated tells both times, because the worker's clock may be the one that
// is wrong.
func outdated(host string, cert *x509.Certificate, now time.Time) tasks.Check {
	code, text := "CertificateExpired", "ended at "+stamp(cert.NotAfter)
	if now.Before(cert.NotBefore) {
		code, text = "CertificateNotYetValid", "begins at "+stamp(cert.NotBefore)
	}
	return fail(code, "the certificate "+text+"; the worker's clock says "+stamp(now),
		"Renew the certificate of "+host+"; if that time is wrong, set the worker's clock (NTP) instead.")
}

func authority(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	return ": " + clean(cert.Issuer.String())
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func timedOut(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &network) && network.Timeout()
}

const maxClean = 300 // bytes

// clean makes text that a server had a hand in fit for a line.
func clean(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(text) > maxClean {
		text = strings.ToValidUTF8(text[:maxClean], "") + "…"
	}
	return text
}
