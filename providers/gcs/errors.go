package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// classify is the one place where an error of the SDK becomes a
// *providers.Error, without operation and subject. What is classified already
// gives a copy. err must not be nil.
func classify(err error) *providers.Error {
	var answer *googleapi.Error
	var login *loginError
	if known, ok := asError(err); ok {
		e := *known
		return &e
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &providers.Error{Kind: providers.Unavailable, Err: context.Canceled}
	// A connection's own timeouts also call themselves DeadlineExceeded; what
	// they say is worth keeping.
	case driver.Innermost(err) == context.DeadlineExceeded: //nolint:errorlint // errors.Is is what it must not be
		return &providers.Error{Kind: providers.Unavailable, Err: context.DeadlineExceeded}
	case errors.As(err, &login):
		return loginFailed(login)
	case errors.As(err, &answer):
		return answered(answer)
	}
	return unanswered(err)
}

// answered is a failure that the server told.
func answered(answer *googleapi.Error) *providers.Error {
	told, ok := parseAnswer(answer)
	if !ok {
		return notGCS(answer.Code)
	}
	e := &providers.Error{
		Status: answer.Code, Detail: told.message, Code: codeOf(answer.Code, told),
		RequestID:  driver.Printable(answer.Header.Get("X-Guploader-Uploadid")),
		RetryAfter: driver.RetryAfter(answer.Header),
	}
	e.Kind = kindOf(e)
	return e
}

// notGCS is an answer that is not in Google's format, so it may be anybody's
// page: nothing of it is repeated.
func notGCS(status int) *providers.Error {
	e := &providers.Error{Status: status, Kind: kindOfStatus(status), Code: "NotGCS"}
	if e.Kind == providers.NotFound { // the page is missing, which says nothing about an object
		e.Kind = providers.Invalid
	}
	e.Detail = "the answer, " + strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status)) + ", is not in Google Cloud Storage's format"
	e.Fix = "Check that storage.endpoint is that of the JSON API, not of a console, a website or a proxy; leave it empty for Google."
	return e
}

// loginFailed is a token that could not be had.
func loginFailed(l *loginError) *providers.Error {
	var refused *auth.Error
	var acting *googleapi.Error
	switch {
	case errors.Is(l, errNoIdentity):
		return &providers.Error{
			Kind: providers.Unauthenticated, Code: "NoWorkerIdentity", Detail: errNoIdentity.Error(),
			Fix: "Run the workers with a service account attached, or set GOOGLE_APPLICATION_CREDENTIALS on them; or use method key-file.",
		}
	case errors.As(l, &acting):
		return actingRefused(acting)
	case errors.As(l, &refused) && refused.Response != nil:
		return tokenRefused(refused)
	}
	e := unanswered(l.err)
	if e.Fix == "" {
		e.Fix = "Check that the worker reaches Google's token endpoint, " + googleTokenURL + "."
	}
	return e
}

// tokenRefused is an answer of the token endpoint, in the format of RFC 6749,
// section 5.2.
func tokenRefused(refused *auth.Error) *providers.Error {
	var told struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	e := &providers.Error{Status: refused.Response.StatusCode, RetryAfter: driver.RetryAfter(refused.Response.Header)}
	if json.Unmarshal(refused.Body, &told) != nil || told.Error == "" {
		e.Code, e.Detail = "NoToken", "the token endpoint's answer is not in its format"
	} else {
		e.Code, e.Detail = withoutAssertion(driver.Printable(told.Error)), withoutAssertion(driver.Printable(told.Description))
	}
	if e.Kind = kindOfStatus(e.Status); e.Kind != providers.Throttled && e.Kind != providers.Unavailable {
		e.Kind, e.Fix = providers.Unauthenticated, tokenAdvice(e)
	}
	return e
}

// assertion is what a token is asked for with, signed by the private key; as
// good as a token while it lasts.
var assertion = regexp.MustCompile(`eyJ[\w-]+(\.[\w-]*)*`)

func withoutAssertion(text string) string { return assertion.ReplaceAllString(text, "[redacted]") }

// actingRefused is an answer of the API that gives tokens of other accounts.
func actingRefused(refused *googleapi.Error) *providers.Error {
	e := answered(refused)
	switch e.Kind {
	case providers.Throttled, providers.Unavailable:
		return e
	}
	// Whatever the answer, no bucket has been asked yet, and NotFound would
	// be read as a missing object.
	e.Kind = providers.Unauthenticated
	e.Fix = "Let the worker act as auth.service_account: gcloud iam service-accounts add-iam-policy-binding EMAIL" +
		" --member=serviceAccount:WORKER --role=roles/iam.serviceAccountTokenCreator; and check that the account exists."
	return e
}

// unanswered is a failure before or during the answer.
func unanswered(err error) *providers.Error {
	e := driver.Unreached(err)
	var garbled *json.SyntaxError
	switch {
	case errors.As(err, &garbled):
		return notGCS(http.StatusOK)
	case driver.UnknownHost(err):
		e.Fix = "The endpoint's host name is unknown: check storage.endpoint, and the worker's DNS."
	case strings.Contains(e.Err.Error(), "partial request not satisfied"):
		return &providers.Error{Kind: providers.Unavailable, Code: "WrongAnswer", Detail: "the server ignored the range that it was asked for"}
	}
	return e
}
