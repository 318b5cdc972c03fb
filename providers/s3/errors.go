package s3

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// classify is the one place where an error of the SDK becomes a
// *providers.Error, without operation and subject. What is classified already
// gives a copy. err must not be nil.
func classify(err error) *providers.Error {
	var known *providers.Error
	var answer *awshttp.ResponseError
	switch {
	case errors.As(err, &known):
		e := *known
		return &e
	// A connection's own timeouts also call themselves DeadlineExceeded; what
	// they say is worth keeping.
	case errors.Is(err, context.Canceled):
		return &providers.Error{Kind: providers.Unavailable, Err: context.Canceled}
	case driver.Innermost(err) == context.DeadlineExceeded: //nolint:errorlint // errors.Is is what it must not be
		return &providers.Error{Kind: providers.Unavailable, Err: context.DeadlineExceeded}
	case errors.As(err, &answer) && answer.HTTPStatusCode() != 0 && !brokenOff(err, answer.HTTPStatusCode()):
		return ofIdentity(answered(err, answer), err)
	}
	return ofIdentity(unanswered(err), err)
}

// brokenOff tells a success that did not arrive whole from one that is not
// S3's.
func brokenOff(err error, status int) bool {
	var network net.Error
	return status < http.StatusMultipleChoices && (errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network))
}

// answered is a failure that the server told.
func answered(err error, answer *awshttp.ResponseError) *providers.Error {
	e := &providers.Error{Status: answer.HTTPStatusCode(), RequestID: driver.Printable(answer.ServiceRequestID())}
	e.RetryAfter = driver.RetryAfter(answer.Response.Header)
	told := findCode(err, answer)
	if told == nil {
		// Not S3's error format, so it may be anybody's page: nothing of it
		// is repeated.
		e.Kind, e.Code = driver.KindOfStatus(e.Status), "NotS3"
		e.Detail = "the answer, " + strings.TrimSpace(strconv.Itoa(e.Status)+" "+http.StatusText(e.Status)) + ", is not in S3's format"
		e.Fix = "Check that the endpoint is that of the S3 API, not of a console, a website or a proxy."
		return e
	}
	e.Code, e.Detail = driver.Printable(told.ErrorCode()), driver.Printable(told.ErrorMessage())
	if e.Detail == unknown || e.Detail == http.StatusText(e.Status) {
		e.Detail = ""
	}
	e.Kind = kindOfCode(e.Code, e.Status)
	e.Fix = advice(e, answer.Response.Header)
	return e
}

// findCode finds the code that the server's answer held. Without one the SDK
// makes up a code of the status; that will do only for HEAD, whose answers
// have no body.
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
	e := driver.Unreached(err)
	var signing *smithy.SerializationError
	switch {
	case strings.Contains(e.Err.Error(), "invalid header field value"):
		e.Kind, e.Err, e.Fix = providers.Invalid, nil, "Check the access key ID and the session token for line breaks and other odd characters."
		e.Detail = "the credentials hold a character that no request can carry"
	case errors.As(err, &signing):
		e.Kind = providers.Invalid
	case driver.UnknownHost(err):
		e.Fix = unknownHost + ": check it, or set addressing to path so that the bucket is not part of it."
	}
	return e
}

const unknownHost = "The endpoint's host name is unknown"

// notS3 is a success that S3 would have told otherwise: any web page can pass
// for an empty listing, an object or a thank you.
func notS3(missing string) error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "NotS3", Status: http.StatusOK, Detail: "the answer is not in S3's format: it has no " + missing,
		Fix: "Check that the endpoint is that of the S3 API, not of a console, a website or a proxy.",
	}
}
