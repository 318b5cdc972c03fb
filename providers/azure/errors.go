package azure

import (
	"context"
	"encoding/xml"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// classify is the one place where an error of the SDK becomes a
// *providers.Error, without operation and subject. What is classified already
// gives a copy. err must not be nil.
func classify(err error) *providers.Error {
	var known *providers.Error
	var refused *azidentity.AuthenticationFailedError
	var unreached *signInUnreachedError
	answer, answered := answerOf(err)
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
	case errors.As(err, &unreached):
		return unreached.fault()
	case errors.As(err, &refused):
		return signInRefused(refused)
	case answered:
		return told(answer)
	}
	return unanswered(err)
}

// answerBody is the service's error format ("Status and error codes"). Detail
// is never shown as it is: where a signature is wrong, it holds what was
// signed.
type answerBody struct {
	XMLName xml.Name `xml:"Error"`
	Code    string   `xml:"Code"`
	Message string   `xml:"Message"`
	Detail  string   `xml:"AuthenticationErrorDetail"`
}

// told is a failure that the service told. Answers to HEAD have no body, but
// a code in their header all the same.
func told(answer *azcore.ResponseError) *providers.Error {
	resp := answer.RawResponse
	e := &providers.Error{
		Status: answer.StatusCode, RequestID: driver.Printable(resp.Header.Get("x-ms-request-id")), RetryAfter: driver.RetryAfter(resp.Header),
		Code: driver.Printable(resp.Header.Get("x-ms-error-code")),
	}
	var format answerBody
	if body, err := runtime.Payload(resp); err == nil && xml.Unmarshal([]byte(strings.TrimPrefix(string(body), "\ufeff")), &format) == nil {
		if e.Code == "" {
			e.Code = driver.Printable(format.Code)
		}
		message, _, _ := strings.Cut(format.Message, "RequestId:") // it has a field of its own
		e.Detail = driver.Printable(message)
	}
	if e.Code == "" {
		return classify(notAzure(e.Status))
	}
	e.Kind = kindOfCode(e.Code, e.Status)
	if e.Code == "AuthenticationFailed" && format.Detail != "" {
		e.Detail, e.Fix = signatureAdvice(format.Detail)
	}
	return e
}

// unanswered is a failure before or during the answer.
func unanswered(err error) *providers.Error {
	e := driver.Unreached(err)
	var syntax *xml.SyntaxError
	switch text := err.Error(); {
	case errors.As(err, &syntax), strings.Contains(text, "unmarshalling type"):
		return classify(notListing())
	case strings.Contains(text, "non TLS protected"):
		e.Kind, e.Err, e.Detail = providers.Invalid, nil, "a sign-in token is never sent over plain http"
		e.Fix = "Write https:// in the endpoint, or use method sas or account-key."
	case driver.UnknownHost(err):
		e.Fix = "The host name is unknown: check account (3 to 24 lower-case letters and digits) and endpoint, and whether the account still exists."
	}
	return e
}
