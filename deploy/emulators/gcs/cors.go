package gcs

import (
	"net/http"
	"slices"
	"strings"
)

// corsRule is a rule of a bucket's CORS configuration.
type corsRule struct {
	Origin         []string `json:"origin"`
	Method         []string `json:"method"`
	ResponseHeader []string `json:"responseHeader"`
}

// preflight answers the question that a browser asks before it loads
// an object. The XML API applies the bucket's rules, and writes no
// header if none matches. The JSON API allows everything
// (https://cloud.google.com/storage/docs/cross-origin).
func (b bucket) preflight(w http.ResponseWriter, r *http.Request, c call) {
	origin := r.Header.Get("Origin")
	method := r.Header.Get("Access-Control-Request-Method")
	headers := r.Header.Get("Access-Control-Request-Headers")
	h := w.Header()
	if !c.xml {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "DELETE,GET,HEAD,PATCH,POST,PUT")
		h.Set("Access-Control-Allow-Headers", headers)
		return
	}

	at := slices.IndexFunc(b.CORS, func(rule corsRule) bool {
		return allows(rule.Origin, origin) && allows(rule.Method, method) &&
			allowsAll(rule.ResponseHeader, headers)
	})
	if at < 0 {
		return
	}
	rule := b.CORS[at]
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", strings.Join(rule.Method, ","))
	h.Set("Access-Control-Allow-Headers", strings.Join(rule.ResponseHeader, ","))
	h.Set("Access-Control-Max-Age", "3600")
}

// allows reports whether value is in the list, or the list allows
// any.
func allows(list []string, value string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		return entry == "*" || strings.EqualFold(entry, value)
	})
}

// allowsAll is allows for each of a comma-separated list of headers.
func allowsAll(list []string, headers string) bool {
	for header := range strings.SplitSeq(headers, ",") {
		if header = strings.TrimSpace(header); header != "" && !allows(list, header) {
			return false
		}
	}
	return true
}
