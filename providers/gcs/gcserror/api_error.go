package gcserror

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// apiError is what an answer of Google says about a failure. Google's
// JSON API and XML API have different formats for it.
type apiError struct {
	code    string // the reason in JSON, the code in XML
	message string
}

// parseAPIError reads the body of a failed request. The SDK does so for
// listings and writes, but not for reads. ok is false for a body that has
// neither of Google's formats.
func parseAPIError(answer *googleapi.Error) (e apiError, ok bool) {
	e, ok = parseJSON([]byte(answer.Body))
	if !ok {
		e, ok = parseXML([]byte(answer.Body))
	}
	if !ok && len(answer.Errors) > 0 {
		e = apiError{code: answer.Errors[0].Reason, message: answer.Errors[0].Message}
		ok = true
	}
	if !ok && isBareNotFound(answer) {
		e, ok = apiError{code: "notFound"}, true
	}

	e.code, e.message = driver.Printable(e.code), driver.Printable(e.message)
	if e.message == http.StatusText(answer.Code) {
		e.message = ""
	}
	return e, ok
}

// isBareNotFound recognises how fake-gcs-server answers a read of a
// missing object: its body is the text of the status and nothing else.
func isBareNotFound(answer *googleapi.Error) bool {
	return answer.Code == http.StatusNotFound &&
		strings.TrimSpace(answer.Body) == http.StatusText(answer.Code)
}

// parseJSON reads
// https://cloud.google.com/storage/docs/json_api/v1/status-codes. Newer
// parts of Google add details. Their reasons are more exact, for example
// SERVICE_DISABLED.
func parseJSON(body []byte) (apiError, bool) {
	var answer struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
			Details []struct {
				Type   string `json:"@type"`
				Reason string `json:"reason"`
			} `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return apiError{}, false
	}

	e := apiError{code: answer.Error.Status, message: answer.Error.Message}
	if len(answer.Error.Errors) > 0 {
		e.code = answer.Error.Errors[0].Reason
	}
	for _, d := range answer.Error.Details {
		if strings.HasSuffix(d.Type, "google.rpc.ErrorInfo") && d.Reason != "" {
			e.code = d.Reason
		}
	}
	return e, e.code != "" || e.message != ""
}

// parseXML reads
// https://cloud.google.com/storage/docs/xml-api/reference-status. All
// errors of a code have the same message. The details say what happened.
func parseXML(body []byte) (apiError, bool) {
	var answer struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
		Message string   `xml:"Message"`
		Details string   `xml:"Details"`
	}
	if xml.Unmarshal(body, &answer) != nil || answer.Code == "" {
		return apiError{}, false
	}
	e := apiError{code: answer.Code, message: answer.Message}
	if answer.Details != "" {
		e.message = answer.Details
	}
	return e, true
}
