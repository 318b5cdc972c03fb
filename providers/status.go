package providers

import "net/http"

// KindOfStatus is what an HTTP status means where the cloud's own code does
// not say more, for providers. A success that could not be understood is
// Invalid: it will be the same the next time.
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
