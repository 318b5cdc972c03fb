// Package gcserror turns every failure of a request to Google into a
// *providers.Error: its kind, its code, and advice on what to do. The
// operations of a bucket and the checks of verify-connection both use it,
// so the same failure has the same kind and advice everywhere.
//
// Of Google's libraries it knows the types of errors. It makes no
// requests.
package gcserror

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// Classify converts an error of Google's libraries to a *providers.Error
// with kind, code and advice. It leaves operation and subject empty. A
// *providers.Error is copied. err must not be nil.
func Classify(err error) *providers.Error {
	if e := driver.Classified(err); e != nil {
		return e
	}
	var noToken *TokenError
	var answer *googleapi.Error
	switch {
	case errors.As(err, &noToken):
		return fromTokenError(noToken)
	case errors.As(err, &answer):
		return fromAnswer(answer)
	}
	return fromTransport(err)
}

// fromAnswer classifies a failure that the server reported.
func fromAnswer(answer *googleapi.Error) *providers.Error {
	reported, ok := parseAPIError(answer)
	if !ok {
		return NotGCS(answer.Code)
	}
	e := &providers.Error{
		Status:     answer.Code,
		Code:       codeOf(answer.Code, reported),
		Detail:     reported.message,
		RequestID:  driver.Printable(answer.Header.Get("X-Guploader-Uploadid")),
		RetryAfter: driver.RetryAfter(answer.Header),
	}
	e.Kind = kindOf(e)
	return e
}

// fromTransport classifies a failure before or during the answer.
func fromTransport(err error) *providers.Error {
	e := driver.Unreached(err)
	var syntax *json.SyntaxError
	switch {
	// Of errors about values json exports only a part.
	case errors.As(err, &syntax), strings.HasPrefix(e.Err.Error(), "json: "):
		return NotGCS(http.StatusOK)
	case driver.UnknownHost(err):
		e.Fix = "The endpoint's host name is unknown: " +
			"check storage.endpoint, and the worker's DNS."
	case strings.Contains(e.Err.Error(), "partial request not satisfied"):
		return driver.WrongAnswer("the server ignored the range that it was asked for")
	}
	return e
}

// NotGCS makes the error of an answer that is not in Google's format.
// Such an answer can be any web page, so nothing of it is repeated.
func NotGCS(status int) *providers.Error {
	e := &providers.Error{Status: status, Kind: kindOfStatus(status), Code: "NotGCS"}
	if e.Kind == providers.NotFound { // the page is missing, not an object
		e.Kind = providers.Invalid
	}
	e.Detail = "the answer, " + driver.StatusText(status) +
		", is not in Google Cloud Storage's format"
	e.Fix = "Check that storage.endpoint is that of the JSON API, " +
		"not of a console, a website or a proxy; leave it empty for Google."
	return e
}

// Malformed makes the error of an answer in Google's format that Google
// would not give. The text goes on after "the server answered with".
func Malformed(what string) *providers.Error {
	return &providers.Error{
		Status: http.StatusOK, Kind: providers.Invalid, Code: "NotGCS",
		Detail: "the server answered with " + what + "; Google Cloud Storage never does that",
		Fix:    "Check the server at storage.endpoint.",
	}
}
