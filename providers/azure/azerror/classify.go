// Package azerror turns every failure of a request to Azure into a
// *providers.Error: its kind, its code, and advice on what to do. The
// operations of a bucket and the checks of verify-connection both use it,
// so the same failure has the same kind and advice everywhere.
//
// Of Azure's libraries it knows the types of errors. It makes no
// requests.
package azerror

import (
	"encoding/xml"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// CodeBlobNotFound is the code of a missing blob.
const CodeBlobNotFound = "BlobNotFound"

// codeNotAzure is the code of an answer that the blob service would not
// give.
const codeNotAzure = "NotAzureBlob"

// Classify converts an error of Azure's libraries to a *providers.Error
// with kind, code and advice. It leaves operation and subject empty. A
// *providers.Error is copied. err must not be nil.
func Classify(err error) *providers.Error {
	if e := driver.Classified(err); e != nil {
		return e
	}
	var unreached *SignInUnreachedError
	var refused *azidentity.AuthenticationFailedError
	var answer *azcore.ResponseError
	switch {
	case errors.As(err, &unreached):
		return fromSignInTransport(unreached)
	case errors.As(err, &refused):
		return fromSignIn(refused)
	case errors.As(err, &answer) && answer.RawResponse != nil:
		return fromAnswer(answer)
	}
	return fromTransport(err)
}

// apiError is the format in which the service reports a failure ("Status
// and error codes"). Detail is never shown: for a wrong signature it
// holds the text that was signed.
type apiError struct {
	XMLName xml.Name `xml:"Error"`
	Code    string   `xml:"Code"`
	Message string   `xml:"Message"`
	Detail  string   `xml:"AuthenticationErrorDetail"`
}

// parseAPIError reads the body of an answer. The result is empty for a
// body in another format. Answers to HEAD have no body.
func parseAPIError(resp *http.Response) apiError {
	var e apiError
	body, err := runtime.Payload(resp)
	if err != nil {
		return apiError{}
	}
	const byteOrderMark = "\ufeff"
	if xml.Unmarshal([]byte(strings.TrimPrefix(string(body), byteOrderMark)), &e) != nil {
		return apiError{}
	}
	return e
}

// notAuthenticated begins the message about credentials that the service
// does not know. Azurite sends it with the code AuthorizationFailure,
// which to Azure means the firewall.
const notAuthenticated = "Server failed to authenticate the request"

// fromAnswer classifies a failure that the service reported.
func fromAnswer(answer *azcore.ResponseError) *providers.Error {
	header := answer.RawResponse.Header
	e := &providers.Error{
		Status:     answer.StatusCode,
		Code:       driver.Printable(header.Get("x-ms-error-code")),
		RequestID:  driver.Printable(header.Get("x-ms-request-id")),
		RetryAfter: driver.RetryAfter(header),
	}
	reported := parseAPIError(answer.RawResponse)
	if e.Code == "" {
		e.Code = driver.Printable(reported.Code)
	}
	if e.Code == "" {
		return NotAzure(e.Status)
	}

	e.Kind = kindOfCode(e.Code, e.Status)
	message, _, _ := strings.Cut(reported.Message, "RequestId:")
	e.Detail = driver.Printable(message)
	if strings.HasPrefix(message, notAuthenticated) {
		e.Kind = providers.Unauthenticated
	}
	if e.Code == "AuthenticationFailed" && reported.Detail != "" {
		e.Detail, e.Fix = signatureAdvice(reported.Detail)
	}
	return e
}

// fromTransport classifies a failure before or during the answer.
func fromTransport(err error) *providers.Error {
	e := driver.Unreached(err)
	var syntax *xml.SyntaxError
	switch text := err.Error(); {
	case errors.As(err, &syntax), strings.Contains(text, "unmarshalling type"):
		return NotListing()
	case strings.Contains(text, "non TLS protected"):
		return TokenNeedsTLS()
	case driver.UnknownHost(err):
		e.Fix = "The host name is unknown: " +
			"check account (3 to 24 lower-case letters and digits) and endpoint, " +
			"and whether the account still exists."
	}
	return e
}

// NotAzure makes the error of an answer that is not the blob service's.
// Such an answer can be any web page, so nothing of it is repeated.
func NotAzure(status int) *providers.Error {
	return &providers.Error{
		Kind: providers.KindOfStatus(status), Code: codeNotAzure, Status: status,
		Detail: "the answer, " + driver.StatusText(status) + ", is not of the blob service",
		Fix: "Check that the endpoint is that of the blob service, " +
			"not of a portal, a website or a proxy.",
	}
}

// NotListing makes the error of a success that is not a listing.
func NotListing() *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: codeNotAzure,
		Detail: "the answer is not a listing in the blob service's format",
		Fix:    "Check that the endpoint is that of the blob service.",
	}
}

// Lacks makes the error of a success without a field that the service
// always sends.
func Lacks(field string) *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: codeNotAzure,
		Detail: "the server's answer has no " + field + ", which the blob service always sends",
		Fix:    "Check that the endpoint is that of the blob service.",
	}
}

// FolderNotFound makes the error of a key at which there is only the blob
// that stands for a directory.
func FolderNotFound() *providers.Error {
	return &providers.Error{
		Kind: providers.NotFound, Code: CodeBlobNotFound,
		Detail: "there is only a directory of this name",
	}
}
