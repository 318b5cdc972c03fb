package gcserror

import (
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Codes of Google's XML API. They are also used for answers of the JSON
// API, whose reasons mean several things each.
const (
	CodeNoSuchBucket       = "NoSuchBucket"
	CodeUserProjectMissing = "UserProjectMissing"
)

// codeOf returns the code of an error that Google reported.
func codeOf(status int, e apiError) string {
	text := strings.ToLower(e.message)
	switch {
	case status == http.StatusNotFound && strings.Contains(text, "bucket does not exist"):
		return CodeNoSuchBucket
	case status == http.StatusBadRequest && strings.Contains(text, "requester pays"):
		return CodeUserProjectMissing
	}
	return e.code
}

// kindOf returns the kind of an error by its code, or by its message
// where the code is ambiguous. All other errors have the kind of their
// status.
func kindOf(e *providers.Error) providers.Kind {
	switch e.Code {
	case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded",
		"dailyLimitExceeded", "SlowDown", "RATE_LIMIT_EXCEEDED":
		return providers.Throttled
	case CodeUserProjectMissing:
		return providers.Invalid
	}

	text := strings.ToLower(e.Detail)
	switch {
	// Google knows that the request had no credentials, so they are not
	// wrong.
	case e.Status == http.StatusUnauthorized && strings.Contains(text, "anonymous caller"):
		return providers.Denied
	case e.Status == http.StatusBadRequest && isKeyState(text):
		return providers.Denied
	// The checksum was right when the content was sent, so the content
	// was damaged on the way.
	case e.Status == http.StatusBadRequest && strings.Contains(text, "match calculated"):
		return providers.Unavailable
	}
	return kindOfStatus(e.Status)
}

// isKeyState reports whether a message in lower case says that the state
// of a KMS key forbids its use.
func isKeyState(text string) bool {
	return strings.Contains(text, "key") && strings.Contains(text, "not enabled")
}

// kindOfStatus returns the kind of an HTTP status. Google sends 429 to
// slow a client down, and 503 when it has trouble itself.
func kindOfStatus(status int) providers.Kind {
	if status == http.StatusServiceUnavailable {
		return providers.Unavailable
	}
	return providers.KindOfStatus(status)
}

// isAboutKey reports whether a message, in lower case, speaks of a
// customer's encryption key. "kms" alone is too little: it may be part
// of the name of an account or a bucket.
func isAboutKey(text string) bool {
	return strings.Contains(text, "cloud kms") || strings.Contains(text, "cloudkms.")
}
