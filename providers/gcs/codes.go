package gcs

import (
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// Codes of the XML API that Stevedore also uses where the JSON API has only a
// reason that means several things.
const (
	noSuchBucket       = "NoSuchBucket"
	userProjectMissing = "UserProjectMissing"
)

// codeOf is the cloud's own code for a failure.
func codeOf(status int, t told) string {
	text := strings.ToLower(t.message)
	switch {
	case status == http.StatusNotFound && strings.Contains(text, "bucket does not exist"):
		return noSuchBucket
	case status == http.StatusBadRequest && strings.Contains(text, "requester pays"):
		return userProjectMissing
	}
	return t.code
}

// kindOf says what a failure means. Codes that are not here mean what their
// status means.
func kindOf(e *providers.Error) providers.Kind {
	text := strings.ToLower(e.Detail)
	switch e.Code {
	case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "SlowDown", "RATE_LIMIT_EXCEEDED":
		return providers.Throttled
	case userProjectMissing:
		return providers.Invalid
	}
	switch {
	// Google knows that nobody signed in, so it is not the credentials that
	// are wrong.
	case e.Status == http.StatusUnauthorized && strings.Contains(text, "anonymous"):
		return providers.Denied
	case e.Status == http.StatusBadRequest && isKeyState(text):
		return providers.Denied
	// The content was damaged on the way: what was sent had a good checksum.
	case e.Status == http.StatusBadRequest && strings.Contains(text, "match calculated"):
		return providers.Unavailable
	}
	return kindOfStatus(e.Status)
}

// isKeyState reports whether a message says that a KMS key cannot be used
// because of its own state.
func isKeyState(text string) bool {
	return strings.Contains(text, "key") && strings.Contains(text, "not enabled")
}

// kindOfStatus knows that Google asks for fewer requests with 429, and means
// trouble of its own by 503.
func kindOfStatus(status int) providers.Kind {
	if status == http.StatusServiceUnavailable {
		return providers.Unavailable
	}
	return driver.KindOfStatus(status)
}
