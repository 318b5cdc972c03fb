package gcserror

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// TokenError is the failure of a request that was not sent, because the
// token for it could not be fetched.
type TokenError struct{ Err error }

// Error implements error.
func (e *TokenError) Error() string { return "no token: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TokenError) Unwrap() error { return e.Err }

// ErrNoWorkerIdentity replaces every error of the search for the worker's
// own identity. Those errors would show paths of the worker's files.
var ErrNoWorkerIdentity = errors.New("the worker has no application default credentials")

func fromTokenError(failed *TokenError) *providers.Error {
	var refused *auth.Error
	var refusedAccount *googleapi.Error
	switch {
	case errors.Is(failed, ErrNoWorkerIdentity):
		return &providers.Error{
			Kind:   providers.Unauthenticated,
			Code:   "NoWorkerIdentity",
			Detail: ErrNoWorkerIdentity.Error(),
			Fix: "Run the workers with a service account attached, " +
				"or set GOOGLE_APPLICATION_CREDENTIALS on them; or use method key-file.",
		}
	case errors.As(failed, &refusedAccount):
		return fromCredentialsAPI(refusedAccount)
	case errors.As(failed, &refused) && refused.Response != nil:
		return fromTokenEndpoint(refused)
	}

	e := fromTransport(failed.Err)
	if e.Fix == "" {
		e.Fix = "Check that the worker reaches Google's token endpoint, oauth2.googleapis.com."
	}
	return e
}

// fromTokenEndpoint classifies an answer of the token endpoint. Its
// format is that of RFC 6749, section 5.2.
func fromTokenEndpoint(refused *auth.Error) *providers.Error {
	e := &providers.Error{
		Status:     refused.Response.StatusCode,
		RetryAfter: driver.RetryAfter(refused.Response.Header),
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(refused.Body, &body) != nil || body.Error == "" {
		e.Code, e.Detail = "NoToken", "the token endpoint's answer is not in its format"
	} else {
		e.Code = withoutAssertion(driver.Printable(body.Error))
		e.Detail = withoutAssertion(driver.Printable(body.Description))
	}

	e.Kind = kindOfStatus(e.Status)
	if e.Kind != providers.Throttled && e.Kind != providers.Unavailable {
		e.Kind, e.Fix = providers.Unauthenticated, keyFileAdvice(e)
	}
	return e
}

// assertion matches what a token is requested with: a JWT signed by the
// private key. Until it expires, its holder can get tokens with it.
var assertion = regexp.MustCompile(`eyJ[\w-]+(\.[\w-]*)*`)

func withoutAssertion(text string) string {
	return assertion.ReplaceAllString(text, "[redacted]")
}

// fromCredentialsAPI classifies an answer of the API that creates tokens
// of another service account.
func fromCredentialsAPI(refused *googleapi.Error) *providers.Error {
	e := fromAnswer(refused)
	if e.Kind == providers.Throttled || e.Kind == providers.Unavailable {
		return e
	}
	// No bucket was asked yet. As NotFound the error would mean that an
	// object is missing.
	e.Kind = providers.Unauthenticated
	e.Fix = "Let the worker act as auth.service_account: " +
		"gcloud iam service-accounts add-iam-policy-binding EMAIL " +
		"--member=serviceAccount:WORKER --role=roles/iam.serviceAccountTokenCreator; " +
		"and check that the account exists."
	return e
}

const newKeyAdvice = "create a new one with gcloud iam service-accounts keys create, " +
	"and give it as auth.key_file."

// keyFileAdvice returns advice on a key file that the token endpoint
// refused. The reasons differ only in the text of the answer.
func keyFileAdvice(e *providers.Error) string {
	text := strings.ToLower(e.Detail)
	switch {
	case strings.Contains(text, "signature"):
		return "The key was deleted or replaced: " + newKeyAdvice
	case strings.Contains(text, "account not found"):
		return "The service account of auth.key_file was deleted: " +
			"create it again, or use the key of another."
	case strings.Contains(text, "disabled"), e.Code == "disabled_client":
		return "The service account of auth.key_file is disabled: " +
			"gcloud iam service-accounts enable EMAIL."
	case strings.Contains(text, "timeframe"), strings.Contains(text, "iat and exp"):
		return "Set the clock of the worker: Google finds the time in its requests wrong."
	}
	return "Replace the key: " + newKeyAdvice
}
