package driver

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxPrintable is in bytes. AWS's longest messages, with two ARNs and
// a reason, have about 500.
const maxPrintable = 600

// Printable makes a server's message fit for a log line: it joins the
// lines, removes control characters and what is not UTF-8, and
// shortens what is too long.
func Printable(message string) string {
	message = strings.ToValidUTF8(message, "?")
	message = strings.Join(strings.FieldsFunc(message, isSpaceOrControl), " ")
	if len(message) > maxPrintable {
		message = strings.ToValidUTF8(message[:maxPrintable], "") + "…"
	}
	return message
}

func isSpaceOrControl(r rune) bool { return r <= ' ' || r == 0x7f }

// RetryAfter reads the header Retry-After in seconds, at most an
// hour. It returns 0 for a date, which no known storage service
// sends.
func RetryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}
