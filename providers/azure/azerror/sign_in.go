package azerror

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

const (
	codeSignInFailed    = "SignInFailed"
	signInNetworkAdvice = "Check that the worker reaches the sign-in service, " +
		"login.microsoftonline.com."
	maxSignInAnswer = 64 << 10 // bytes; the service's own have a few KB
)

// SignInUnreachedError means that no request to the sign-in service got
// an answer. Err says why.
type SignInUnreachedError struct{ Err error }

// Error implements error.
func (e *SignInUnreachedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *SignInUnreachedError) Unwrap() error { return e.Err }

// NonRetriable tells the SDK not to repeat the blob request: the sign-in
// was repeated already.
func (e *SignInUnreachedError) NonRetriable() {}

func fromSignInTransport(unreached *SignInUnreachedError) *providers.Error {
	e := driver.Unreached(unreached.Err)
	e.Code = codeSignInFailed
	if e.Fix == "" {
		e.Fix = signInNetworkAdvice
	}
	return e
}

// entraCode matches a code of "Microsoft Entra authentication error
// codes".
var entraCode = regexp.MustCompile(`AADSTS[0-9]+`)

// fromSignIn classifies a failure that the sign-in service reported.
func fromSignIn(failed *azidentity.AuthenticationFailedError) *providers.Error {
	e := &providers.Error{Kind: providers.Unauthenticated, Code: codeSignInFailed}
	if failed.RawResponse == nil {
		e.Kind, e.Detail = providers.Unavailable, "no token could be fetched"
		e.Fix = signInNetworkAdvice
		return e
	}
	e.Status = failed.RawResponse.StatusCode
	if e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests {
		e.Kind = providers.KindOfStatus(e.Status)
	}

	var answer struct {
		Description string `json:"error_description"`
		Trace       string `json:"trace_id"`
	}
	body, err := io.ReadAll(io.LimitReader(failed.RawResponse.Body, maxSignInAnswer))
	if err == nil && json.Unmarshal(body, &answer) == nil {
		description, _, _ := strings.Cut(answer.Description, "Trace ID:")
		e.Detail = driver.Printable(description)
		e.RequestID = driver.Printable(answer.Trace)
		if code := entraCode.FindString(description); code != "" {
			e.Code = code
		}
	}
	e.Fix = signInAdvice(e.Code)
	return e
}

func signInAdvice(code string) string {
	switch code {
	case "AADSTS7000215":
		return "Check auth.client_secret: it must be the secret's value, not its ID."
	case "AADSTS7000222":
		return "The client secret has expired: make a new one (az ad app credential reset) " +
			"and give it in auth.client_secret."
	case "AADSTS700016":
		return "Check auth.client_id: this directory has no such application; " +
			"or auth.tenant_id, if it is another directory's."
	case "AADSTS90002", "AADSTS900023", "AADSTS900021":
		return "Check auth.tenant_id: there is no such directory."
	case "AADSTS53003":
		return "A Conditional Access policy refuses the sign-in: " +
			"ask the directory's administrator."
	}
	return "Check auth.tenant_id, auth.client_id and auth.client_secret."
}

// TokenNeedsTLS makes the error of a storage that would send a sign-in
// token unencrypted.
func TokenNeedsTLS() *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "TokenNeedsTLS",
		Detail: "a sign-in token is never sent over plain http",
		Fix:    "Write https:// in the endpoint, or use method sas or account-key.",
	}
}
