package driver

import (
	"net/http"
	"strconv"
	"strings"
)

// StatusText returns an HTTP status for a message, for example "403
// Forbidden".
func StatusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
