package providers

import "net/http"

// KindOfStatus returns the kind of an HTTP status, for answers whose
// error code says nothing more exact. A success that could not be
// understood is Invalid, because the next try would give the same
// answer.
func KindOfStatus(status int) Kind {
	switch status {
	case http.StatusUnauthorized:
		return Unauthenticated
	case http.StatusForbidden:
		return Denied
	case http.StatusNotFound, http.StatusGone:
		return NotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusNotModified:
		return Conflict
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return Throttled
	case http.StatusRequestTimeout:
		return Unavailable
	}
	if status < http.StatusInternalServerError {
		return Invalid
	}
	return Unavailable
}
