package cors

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// question holds what a preflight asks for. Method and headers may be
// missing.
type question struct {
	origin, method string
	headers        []string
}

// exchange is a request and its answer.
type exchange struct {
	question
	target string
	verb   string // of the request itself: OPTIONS for a preflight
	status int
	header http.Header
}

// element is a part of the answer that a browser needs.
type element int

const (
	nothing element = iota
	originHeader
	methodsHeader
	headersHeader
	goodStatus
)

// lacks returns the first part of the answer that a browser misses.
// Headers come before the status, because servers refuse with any
// status, 200 and 204 included.
func (e exchange) lacks() element {
	switch {
	case !e.allowsOrigin():
		return originHeader
	case !e.allowsMethod():
		return methodsHeader
	case slices.ContainsFunc(e.headers, func(h string) bool { return !e.allowsHeader(h) }):
		return headersHeader
	case e.status < 200 || e.status > 299:
		return goodStatus
	}
	return nothing
}

// allowsOrigin is true if the header occurs once and allows the
// origin. Browsers refuse an answer with two of them.
func (e exchange) allowsOrigin() bool {
	values := e.header.Values("Access-Control-Allow-Origin")
	return len(values) == 1 && (values[0] == e.origin || values[0] == "*")
}

// allowsMethod is true for GET, HEAD and POST even if the answer does not
// name them: the Fetch standard calls them safelisted. A server that
// means to refuse one refuses the preflight.
func (e exchange) allowsMethod() bool {
	switch e.method {
	case "", http.MethodGet, http.MethodHead, http.MethodPost:
		return true
	}
	return lists(e.header, "Access-Control-Allow-Methods", e.method)
}

func (e exchange) allowsAnyOrigin() bool {
	return e.header.Get("Access-Control-Allow-Origin") == "*"
}

func (e exchange) allowsHeader(name string) bool {
	return lists(e.header, "Access-Control-Allow-Headers", name)
}

// lists reports whether a header's comma-separated items contain an
// item or a star. Case matters only for methods, and no server writes
// them in lower case.
func lists(h http.Header, header, item string) bool {
	return slices.ContainsFunc(items(h, header), func(i string) bool {
		return i == "*" || strings.EqualFold(i, item)
	})
}

func items(h http.Header, header string) (all []string) {
	for _, value := range h.Values(header) {
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				all = append(all, item)
			}
		}
	}
	return all
}

// String returns what was sent and what came back.
func (e exchange) String() string {
	sent := []string{"Origin: " + e.origin}
	if e.method != "" && e.verb == http.MethodOptions {
		sent = append(sent, "Access-Control-Request-Method: "+e.method)
	}
	if len(e.headers) > 0 && e.verb == http.MethodOptions {
		sent = append(sent, "Access-Control-Request-Headers: "+strings.Join(e.headers, ","))
	}
	got := "without Access-Control headers"
	if received := e.corsHeaders(); len(received) > 0 {
		got = "with " + strings.Join(received, "; ")
	}
	return fmt.Sprintf("%s %s with %s got %d %s",
		e.verb, e.target, strings.Join(sent, "; "), e.status, got)
}

// corsHeaders returns the answer's headers that matter to CORS, in a
// fixed order.
func (e exchange) corsHeaders() (all []string) {
	for _, name := range []string{"Origin", "Methods", "Headers", "Credentials"} {
		if name = "Access-Control-Allow-" + name; e.header.Values(name) != nil {
			value := strings.Join(e.header.Values(name), ", ")
			all = append(all, name+": "+driver.Printable(value))
		}
	}
	return all
}
