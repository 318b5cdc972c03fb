package driver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
)

// Unreached classifies the failure of an HTTP client that got no
// complete answer. Such failures are the same for every cloud. The
// error has no operation and no subject yet. It never holds a URL,
// whose query may be a signature. Its text is as short as Printable
// makes it: net/http repeats the first line of an answer, however long
// a server makes that.
func Unreached(err error) *providers.Error {
	e := &providers.Error{Kind: providers.KindOf(err), Err: printable(cause(err))}
	var blocked *egress.BlockedError
	switch {
	case errors.As(err, &blocked):
		e.Err, e.Fix = blocked, blocked.Fix()
	case isPlainHTTP(err):
		e.Kind = providers.Invalid
		e.Fix = "The endpoint speaks plain http: write http:// instead of https://."
	case isNotHTTP(err):
		e.Kind = providers.Invalid
		e.Fix = "The endpoint does not speak http; " +
			"if it wants TLS, write https:// instead of http://."
	case isTLS(err):
		e.Kind = providers.Invalid
		e.Fix = "The endpoint's certificate is not trusted: check the host name, " +
			"or give the worker the authority's certificate."
	case UnknownHost(err):
		e.Fix = "The endpoint's host name is unknown: check it, and the worker's DNS."
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Fix = "Nothing listens at the endpoint: check host and port."
	}
	return e
}

// CauseText returns the short text of a failure of a connection. It has
// no URL, and no address of the worker or of its DNS servers, so who
// writes payloads may read it.
func CauseText(err error) string { return Unreached(err).Err.Error() }

// printable returns an error with a printable text: the same error, if
// its own text is.
func printable(err error) error {
	text := err.Error()
	if short := Printable(text); short != text {
		return errors.New(short)
	}
	return err
}

// UnknownHost reports whether err means that a host name does not
// exist.
func UnknownHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// isPlainHTTP reports whether a server answered a TLS handshake with
// plain http.
func isPlainHTTP(err error) bool {
	var record tls.RecordHeaderError
	return errors.Is(err, http.ErrSchemeMismatch) ||
		errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/"
}

// isNotHTTP reports whether an answer is not HTTP at all. For this
// net/http has no exported type, only its text.
func isNotHTTP(err error) bool {
	return strings.Contains(cause(err).Error(), "malformed HTTP")
}

// isTLS reports whether a TLS handshake failed. Certificates that are
// not trusted have types. Alerts and faults of the protocol have none
// that are exported, only a text that begins with the package's name.
func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var roots x509.SystemRootsError
	switch {
	case errors.As(err, &verification), errors.As(err, &record):
		return true
	case errors.As(err, &authority), errors.As(err, &host),
		errors.As(err, &invalid), errors.As(err, &roots):
		return true
	}
	return strings.HasPrefix(innermost(err).Error(), "tls: ")
}

// cause returns the innermost error that still says what happened.
// What SDKs and net/http wrap around it repeats the operation and the
// whole URL.
func cause(err error) error {
	var unreachable *net.OpError
	var dns *net.DNSError
	var request *url.Error
	switch {
	case errors.As(err, &dns):
		return withoutServer(*dns)
	case errors.As(err, &unreachable):
		public := *unreachable
		public.Source = nil // the worker's own address
		return &public
	case errors.As(err, &request):
		return request.Err
	}
	return innermost(err)
}

// withoutServer returns the error of a lookup without the addresses of
// the workers' DNS servers, which authors of payloads must not learn.
func withoutServer(err net.DNSError) *net.DNSError {
	err.Server, err.UnwrapErr = "", nil
	if !err.IsNotFound { // its text can hold addresses
		err.Err = "no DNS server gave an answer"
	}
	return &err
}

// innermost unwraps err as far as possible. It does not enter joined
// errors.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
