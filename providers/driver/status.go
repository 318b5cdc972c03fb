package driver

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// StatusText returns an HTTP status for a message, for example "403
// Forbidden".
func StatusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// KindOfStatus returns the kind of an HTTP status, for answers whose
// error code says nothing more exact. A success that could not be
// understood is Invalid, because the next try would give the same
// answer.
func KindOfStatus(status int) providers.Kind {
	switch status {
	case http.StatusUnauthorized:
		return providers.Unauthenticated
	case http.StatusForbidden:
		return providers.Denied
	case http.StatusNotFound, http.StatusGone:
		return providers.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusNotModified:
		return providers.Conflict
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return providers.Throttled
	case http.StatusRequestTimeout:
		return providers.Unavailable
	}
	if status < http.StatusInternalServerError {
		return providers.Invalid
	}
	return providers.Unavailable
}
