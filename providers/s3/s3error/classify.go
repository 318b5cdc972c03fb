// Package s3error turns every failure of a call to S3 or STS into a
// *providers.Error: its kind, its code, and advice on what to do. The
// operations of a bucket and the checks of verify-connection both use
// it, so the same failure has the same kind and advice everywhere.
//
// Of the SDK it knows the types of errors. It makes no requests.
package s3error

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

const (
	codeNoSuchBucket = "NoSuchBucket"

	// codeNotS3 is the code of an answer that S3 would not give.
	codeNotS3   = "NotS3"
	notS3Advice = "Check that the endpoint is that of the S3 API, " +
		"not of a console, a website or a proxy."
)

// unknownError is the code or message that the SDK makes up when the
// server's answer has none.
const unknownError = "UnknownError"

// Classify converts an error of the SDK to a *providers.Error with
// kind, code and advice. It leaves operation and subject empty, except
// that an error of STS gets the operation OpAssumeRole. A
// *providers.Error is copied. err must not be nil.
func Classify(err error) *providers.Error {
	e := driver.Classified(err)
	if e != nil {
		return e
	}
	if answer := answerIn(err); answer != nil {
		e = fromAnswer(err, answer)
	} else {
		e = fromTransport(err)
	}
	if IsSTS(err) {
		asSTS(e)
	}
	return e
}

// answerIn returns the server's answer that an error holds. It returns
// nil if there was none, or if a success broke off before its end.
func answerIn(err error) *awshttp.ResponseError {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 {
		return nil
	}
	var network net.Error
	brokeOff := errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
	if answer.HTTPStatusCode() < http.StatusMultipleChoices && brokeOff {
		return nil
	}
	return answer
}

// fromAnswer classifies a failure that the server reported.
func fromAnswer(err error, answer *awshttp.ResponseError) *providers.Error {
	header := answer.Response.Header
	e := &providers.Error{
		Status:     answer.HTTPStatusCode(),
		RequestID:  driver.Printable(answer.ServiceRequestID()),
		RetryAfter: driver.RetryAfter(header),
	}
	reported := apiErrorIn(err, answer)
	if reported == nil {
		// The answer may be any web page, so nothing of it is repeated.
		e.Kind, e.Code = providers.KindOfStatus(e.Status), codeNotS3
		e.Detail = "the answer, " + driver.StatusText(e.Status) + ", is not in S3's format"
		e.Fix = notS3Advice
		return e
	}

	e.Code = driver.Printable(reported.ErrorCode())
	e.Detail = driver.Printable(reported.ErrorMessage())
	if e.Detail == unknownError || e.Detail == http.StatusText(e.Status) {
		e.Detail = ""
	}
	meaning := meaningOf(e.Code, e.Detail)
	e.Kind = kindOfCode(meaning, e.Status)
	e.Fix = advice(meaning, e, answer)
	return e
}

// apiErrorIn returns the code and message of the server's answer. If
// the answer has none, the SDK makes them up from the status. That is
// good enough only for HEAD, whose answers have no body. For other
// methods the result is then nil. A code that the answer has counts,
// even if it reads like the status: R2 answers 401 with the code and
// the message Unauthorized.
func apiErrorIn(err error, answer *awshttp.ResponseError) smithy.APIError {
	var reported smithy.APIError
	var unreadable *smithy.DeserializationError
	if errors.As(err, &unreadable) || !errors.As(err, &reported) {
		return nil
	}
	request := answer.Response.Request
	isHead := request != nil && request.Method == http.MethodHead
	if !isHead && documentOf(answer).code == "" {
		return nil
	}
	return reported
}

const unknownHost = "The endpoint's host name is unknown"

// fromTransport classifies a failure before or during the answer.
func fromTransport(err error) *providers.Error {
	e := driver.Unreached(err)
	var signing *smithy.SerializationError
	switch {
	case strings.Contains(e.Err.Error(), "invalid header field value"):
		e.Kind, e.Err = providers.Invalid, nil
		e.Detail = "the credentials hold a character that no request can carry"
		e.Fix = "Check the access key ID and the session token " +
			"for line breaks and other odd characters."
	case errors.As(err, &signing):
		e.Kind = providers.Invalid
	case isRefusedBySDK(err):
		e.Kind = providers.Invalid
		e.Fix = "Correct the storage: its region, bucket, endpoint and addressing " +
			"do not make an address."
	case driver.UnknownHost(err):
		e.Fix = unknownHost + ": check it, " +
			"or set addressing to path so that the bucket is not part of it."
	}
	return e
}

// isRefusedBySDK reports whether the SDK could not make a URL of region,
// bucket and endpoint. It has no type for that, only a text.
func isRefusedBySDK(err error) bool {
	var call *smithy.OperationError
	if !errors.As(err, &call) {
		return false
	}
	text := call.Err.Error()
	return strings.Contains(text, "resolve endpoint: ") ||
		strings.HasPrefix(text, "bind auth scheme params: ")
}

// IsMissingKey reports whether a classified error means that the bucket
// exists and the key does not.
func IsMissingKey(e *providers.Error) bool {
	return e.Kind == providers.NotFound && e.Code != codeNoSuchBucket
}

// NotS3 makes the error of a success that lacks a field which S3 always
// sends. Without this check an HTML page of a proxy could pass for an
// empty listing or an object.
func NotS3(missing string) error {
	return &providers.Error{
		Kind: providers.Invalid, Code: codeNotS3, Status: http.StatusOK,
		Detail: "the answer is not in S3's format: it has no " + missing,
		Fix:    notS3Advice,
	}
}
