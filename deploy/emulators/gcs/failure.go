package gcs

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
)

// Messages of Google that more than one place uses or recognises.
const (
	missingBucket      = "The specified bucket does not exist."
	missingProject     = "Bucket is a requester pays bucket but no user project provided."
	failedPrecondition = "At least one of the pre-conditions you specified did not hold."
	wrongMD5           = `Provided MD5 hash "AAAAAAAAAAAAAAAAAAAAAA==" ` +
		`doesn't match calculated MD5 hash "nUAWeJGvEKxVsrEyZSRpvA==".`
)

// failure is an error as Google writes it.
type failure struct {
	status          int
	reason, message string
}

// write writes the failure in the format of the call's API.
func (f failure) write(w http.ResponseWriter, c call) {
	w.Header().Set("X-Guploader-Uploadid", "emulated-upload-id")
	body, contentType := f.json(), "application/json; charset=UTF-8"
	if c.xml {
		body, contentType = f.xml(), "application/xml; charset=UTF-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
}

func (f failure) json() []byte {
	entry := map[string]string{"message": f.message, "domain": "global", "reason": f.reason}
	if f.reason == "required" && f.status == http.StatusUnauthorized || f.reason == "authError" {
		entry["locationType"], entry["location"] = "header", "Authorization"
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{
		"code": f.status, "message": f.message, "errors": []any{entry},
	}})
	return body
}

// xml writes one code and message per status. What exactly failed is
// in the details.
func (f failure) xml() []byte {
	e := struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Details string `xml:",omitempty"`
	}{Code: "InvalidArgument", Message: "Invalid argument.", Details: f.message}
	switch {
	case f.reason == "authError":
		e.Code, e.Message = "AuthenticationRequired", "Authentication required."
	case f.status == http.StatusUnauthorized, f.status == http.StatusForbidden:
		e.Code, e.Message = "AccessDenied", "Access denied."
	case f.message == missingBucket:
		e.Code, e.Message, e.Details = "NoSuchBucket", f.message, ""
	case f.status == http.StatusNotFound:
		e.Code, e.Message = "NoSuchKey", "The specified key does not exist."
	case f.status == http.StatusPreconditionFailed:
		e.Code, e.Message = "PreconditionFailed", f.message
	case f.status == http.StatusRequestedRangeNotSatisfiable:
		e.Code, e.Message = "InvalidRange", f.message
	case strings.Contains(f.message, "requester pays"):
		e.Code, e.Message = "UserProjectMissing", f.message
	}
	body, _ := xml.Marshal(e)
	return append([]byte("<?xml version='1.0' encoding='UTF-8'?>"), body...)
}
