package egress

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Unreached classifies an HTTP client's failure before or during the answer,
// which is the same whatever cloud was asked. The error has no operation and
// no subject yet, and never a URL, whose query may be a signature.
func Unreached(err error) *providers.Error {
	e := &providers.Error{Kind: providers.KindOf(err), Err: cause(err)}
	var blocked *BlockedError
	text := e.Err.Error()
	switch {
	case errors.As(err, &blocked):
		e.Err, e.Fix = blocked, blocked.Fix()
	case strings.Contains(text, "HTTP response to HTTPS client"):
		e.Kind, e.Fix = providers.Invalid, "The endpoint speaks plain http: write http:// instead of https://."
	case strings.Contains(text, "malformed HTTP"):
		e.Kind, e.Fix = providers.Invalid, "The endpoint does not speak http; if it wants TLS, write https:// instead of http://."
	case strings.Contains(text, "x509:"), strings.Contains(text, "tls:"):
		e.Kind, e.Fix = providers.Invalid, "The endpoint's certificate is not trusted: check the host name, or give the worker the authority's certificate."
	case UnknownHost(err):
		e.Fix = "The endpoint's host name is unknown: check it, and the worker's DNS."
	case strings.Contains(text, "connection refused"):
		e.Fix = "Nothing listens at the endpoint: check host and port."
	}
	return e
}

// UnknownHost reports whether an error means that a host name does not exist.
func UnknownHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// cause takes the innermost error that still says what happened. What SDKs
// and net/http wrap around it repeats the operation and the whole URL.
func cause(err error) error {
	var unreachable *net.OpError
	var dns *net.DNSError
	var at *url.Error
	switch {
	case errors.As(err, &dns):
		return dns
	case errors.As(err, &unreachable):
		return unreachable
	case errors.As(err, &at):
		return at.Err
	}
	return Innermost(err)
}

// Innermost unwraps an error as far as it goes.
func Innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

const maxDetail = 600 // bytes; AWS's longest messages, with two ARNs and a reason, have about 500

// Clean makes a server's message fit for a log line: one line, and not too
// long.
func Clean(message string) string {
	message = strings.Join(strings.FieldsFunc(message, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(message) > maxDetail {
		message = strings.ToValidUTF8(message[:maxDetail], "") + "…"
	}
	return message
}

// RetryAfter reads the header in seconds, at most an hour; no storage service
// is known to send a date.
func RetryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}
