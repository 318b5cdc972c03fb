package main

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// gcsError is a failure as Google words it.
type gcsError struct {
	status          int
	reason, message string
}

func (e gcsError) write(w http.ResponseWriter, call gcsCall) {
	w.Header().Set("X-Guploader-Uploadid", "emulated-upload-id")
	body, kind := e.json(), "application/json; charset=UTF-8"
	if call.xml {
		body, kind = e.xml(), "application/xml; charset=UTF-8"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
}

func (e gcsError) json() []byte {
	one := map[string]string{"message": e.message, "domain": "global", "reason": e.reason}
	if e.reason == "required" && e.status == http.StatusUnauthorized || e.reason == "authError" {
		one["locationType"], one["location"] = "header", "Authorization"
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"code": e.status, "message": e.message, "errors": []any{one}}})
	return body
}

// xml has a code and a message a status, and what happened in the details.
func (e gcsError) xml() []byte {
	told := struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Details string `xml:",omitempty"`
	}{Code: "InvalidArgument", Message: "Invalid argument.", Details: e.message}
	switch {
	case e.reason == "authError":
		told.Code, told.Message = "AuthenticationRequired", "Authentication required."
	case e.status == http.StatusUnauthorized, e.status == http.StatusForbidden:
		told.Code, told.Message = "AccessDenied", "Access denied."
	case strings.Contains(e.message, "bucket does not exist"):
		told.Code, told.Message, told.Details = "NoSuchBucket", e.message, ""
	case e.status == http.StatusNotFound:
		told.Code, told.Message = "NoSuchKey", "The specified key does not exist."
	case e.status == http.StatusPreconditionFailed:
		told.Code, told.Message = "PreconditionFailed", e.message
	case e.status == http.StatusRequestedRangeNotSatisfiable:
		told.Code, told.Message = "InvalidRange", e.message
	case strings.Contains(e.message, "requester pays"):
		told.Code, told.Message = "UserProjectMissing", e.message
	}
	body, _ := xml.Marshal(told)
	return append([]byte("<?xml version='1.0' encoding='UTF-8'?>"), body...)
}

// preflight answers what a browser asks before it loads an object. The XML
// API applies the bucket's rules, and leaves the headers out when none fits;
// the JSON API allows everything
// (https://cloud.google.com/storage/docs/cross-origin).
func (b gcsBucket) preflight(w http.ResponseWriter, r *http.Request, call gcsCall) {
	origin, method := r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method")
	asked := r.Header.Get("Access-Control-Request-Headers")
	h := w.Header()
	if !call.xml {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "DELETE,GET,HEAD,PATCH,POST,PUT")
		h.Set("Access-Control-Allow-Headers", asked)
		return
	}
	for _, rule := range b.CORS {
		if !rule.fits(rule.Origin, origin) || !rule.fits(rule.Method, method) || !rule.fitsAll(asked) {
			continue
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Methods", strings.Join(rule.Method, ","))
		h.Set("Access-Control-Allow-Headers", strings.Join(rule.ResponseHeader, ","))
		h.Set("Access-Control-Max-Age", "3600")
		return
	}
}

func (gcsCORS) fits(allowed []string, value string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool { return a == "*" || strings.EqualFold(a, value) })
}

func (c gcsCORS) fitsAll(asked string) bool {
	for header := range strings.SplitSeq(asked, ",") {
		if header = strings.TrimSpace(header); header != "" && !c.fits(c.ResponseHeader, header) {
			return false
		}
	}
	return true
}
