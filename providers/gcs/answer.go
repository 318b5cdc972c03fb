package gcs

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/stevedore-jobs/stevedore/providers/driver"
)

const listKind = `storage#objects`

// isList reports whether a request asks for a listing: GET
// /storage/v1/b/BUCKET/o.
func isList(r *http.Request) bool {
	_, rest, _ := strings.Cut(r.URL.EscapedPath(), "/b/")
	_, rest, _ = strings.Cut(rest, "/")
	return r.Method == http.MethodGet && rest == "o"
}

// withKind asks for the kind of an answer besides the fields that the client
// asks for.
func withKind(u *url.URL) *url.URL {
	query := u.Query()
	if fields := query.Get("fields"); fields != "" {
		query.Set("fields", "kind,"+fields)
	}
	asked := *u
	asked.RawQuery = query.Encode()
	return &asked
}

// checkKind refuses an answer that is not a listing: to the client any JSON
// is one, without objects, and a bucket that seems to be empty is worse than
// an error. It holds the answer in memory, as the client would anyway. "For
// lists of objects, this is always storage#objects"
// (https://cloud.google.com/storage/docs/json_api/v1/objects/list).
func checkKind(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	if err == nil && !bytes.Contains(body, []byte(listKind)) {
		err = notGCS(resp.StatusCode)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// told is what an answer says about a failure, whichever of the two APIs gave
// it.
type told struct {
	code    string // JSON: the reason; XML: the code
	message string
}

// parseAnswer reads the body of a failed request. The client does it for
// listings and writes, but not for reads.
func parseAnswer(e *googleapi.Error) (told, bool) {
	t, ok := parseJSON([]byte(e.Body))
	if !ok {
		t, ok = parseXML([]byte(e.Body))
	}
	if !ok && len(e.Errors) > 0 {
		t, ok = told{e.Errors[0].Reason, e.Errors[0].Message}, true
	}
	if !ok && e.Code == http.StatusNotFound && strings.TrimSpace(e.Body) == http.StatusText(e.Code) {
		t, ok = told{code: "notFound"}, true // what fake-gcs-server says to a read
	}
	t.code, t.message = driver.Printable(t.code), driver.Printable(t.message)
	if t.message == http.StatusText(e.Code) {
		t.message = ""
	}
	return t, ok
}

// parseJSON reads
// https://cloud.google.com/storage/docs/json_api/v1/status-codes. The reasons
// in details are newer and say more, for example SERVICE_DISABLED.
func parseJSON(body []byte) (told, bool) {
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
		return told{}, false
	}
	e := answer.Error
	t := told{code: e.Status, message: e.Message}
	if len(e.Errors) > 0 {
		t.code = e.Errors[0].Reason
	}
	for _, d := range e.Details {
		if strings.HasSuffix(d.Type, "google.rpc.ErrorInfo") && d.Reason != "" {
			t.code = d.Reason
		}
	}
	return t, t.code != "" || t.message != ""
}

// parseXML reads
// https://cloud.google.com/storage/docs/xml-api/reference-status. The message
// is the same for all of a code; the details say what happened.
func parseXML(body []byte) (told, bool) {
	var answer struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
		Message string   `xml:"Message"`
		Details string   `xml:"Details"`
	}
	if xml.Unmarshal(body, &answer) != nil || answer.Code == "" {
		return told{}, false
	}
	t := told{answer.Code, answer.Message}
	if answer.Details != "" {
		t.message = answer.Details
	}
	return t, true
}
