package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
)

// classify is the one place where an error of the SDK becomes a *providers.Error, without operation and subject. What is
// classified already gives a copy. err must not be nil.
func classify(err error) *providers.Error {
	var known *providers.Error
	var answer *awshttp.ResponseError
	switch {
	case errors.As(err, &known):
		e := *known
		return &e
	// A connection's own timeouts also call themselves DeadlineExceeded; what they say is worth keeping.
	case errors.Is(err, context.Canceled):
		return &providers.Error{Kind: providers.Unavailable, Err: context.Canceled}
	case innermost(err) == context.DeadlineExceeded: //nolint:errorlint // errors.Is is what it must not be
		return &providers.Error{Kind: providers.Unavailable, Err: context.DeadlineExceeded}
	case errors.As(err, &answer) && answer.HTTPStatusCode() != 0:
		return answered(err, answer)
	}
	return unanswered(err)
}

// answered is a failure that the server told.
func answered(err error, answer *awshttp.ResponseError) *providers.Error {
	e := &providers.Error{Status: answer.HTTPStatusCode(), RequestID: answer.ServiceRequestID()}
	e.RetryAfter = retryAfter(answer.Response.Header)
	told := findCode(err, answer)
	if told == nil {
		// Not S3's error format, so it may be anybody's page: nothing of it is repeated.
		e.Kind, e.Code = kindOfStatus(e.Status), "NotS3"
		e.Detail = "the answer, " + strings.TrimSpace(strconv.Itoa(e.Status)+" "+http.StatusText(e.Status)) + ", is not in S3's format"
		e.Fix = "Check that the endpoint is that of the S3 API, not of a console, a website or a proxy."
		return e
	}
	e.Code, e.Detail = clean(told.ErrorCode()), clean(told.ErrorMessage())
	if e.Detail == unknown || e.Detail == http.StatusText(e.Status) {
		e.Detail = ""
	}
	e.Kind = kindOfCode(e.Code, e.Status)
	e.Fix = advice(e, answer.Response.Header)
	return e
}

// findCode finds the code that the server's answer held. Without one the SDK makes up a code of the status; that will do
// only for HEAD, whose answers have no body.
func findCode(err error, answer *awshttp.ResponseError) smithy.APIError {
	var told smithy.APIError
	var garbled *smithy.DeserializationError
	if errors.As(err, &garbled) || !errors.As(err, &told) {
		return nil
	}
	sent := answer.Response.Request
	madeUp := told.ErrorMessage() == http.StatusText(answer.HTTPStatusCode()) || told.ErrorCode() == unknown
	if madeUp && (sent == nil || sent.Method != http.MethodHead) {
		return nil
	}
	return told
}

const unknown = "UnknownError" // what the SDK puts where the server's answer has nothing

// unanswered is a failure before or during the answer.
func unanswered(err error) *providers.Error {
	e := &providers.Error{Kind: providers.KindOf(err), Err: cause(err)}
	var blocked *egress.BlockedError
	var signing *smithy.SerializationError
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
	case strings.Contains(text, "invalid header field value"):
		e.Kind, e.Err, e.Fix = providers.Invalid, nil, "Check the access key ID and the session token for line breaks and other odd characters."
		e.Detail = "the credentials hold a character that no request can carry"
	case errors.As(err, &signing):
		e.Kind = providers.Invalid
	case strings.Contains(text, "no such host"):
		e.Fix = "The endpoint's host name is unknown: check it; servers other than AWS are addressed with the bucket in the path."
	case strings.Contains(text, "connection refused"):
		e.Fix = "Nothing listens at the endpoint: check host and port."
	}
	return e
}

// cause takes the innermost error that still says what happened. What the SDK and net/http wrap around it repeats the
// operation and the whole URL.
func cause(err error) error {
	var unreachable *net.OpError
	var dns *net.DNSError
	var at *url.Error
	switch {
	case errors.As(err, &dns), !errors.As(err, &unreachable) && !errors.As(err, &at):
		return innermost(err)
	case unreachable != nil:
		return unreachable
	}
	return at.Err
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

const maxDetail = 600 // bytes; AWS's longest messages, with two ARNs and a reason, have about 500

// clean makes a server's message fit for a log line.
func clean(message string) string {
	message = strings.Join(strings.FieldsFunc(message, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(message) > maxDetail {
		message = strings.ToValidUTF8(message[:maxDetail], "") + "…"
	}
	return message
}

// retryAfter reads the header in seconds; as a date it is not used by any S3 server known.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

func notS3() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "NotS3", Status: http.StatusOK, Detail: "the answer is not a listing in S3's format",
		Fix: "Check that the endpoint is that of the S3 API, not of a console, a website or a proxy.",
	}
}
