package s3

import (
	"encoding/xml"
	"io"
	"net/http"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
)

const (
	requestID = "4442587FB7D0A2F9"
	kmsKey    = "arn:aws:kms:" + gateway.Region + ":" + gateway.Account +
		":key/1234abcd-12ab-34cd-56ef-1234567890ab"
	signInPage = "<!DOCTYPE html><html><head><title>Sign in</title></head>" +
		"<body><form>console</form></body></html>"
)

// answer is sent in place of the server's answer.
type answer struct {
	status int
	header map[string]string
	body   string
}

func (a *answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", requestID)
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// answer returns the answer of a fault. It returns nil for a fault
// that damages the server's answer.
func (f *fault) answer(c call) *answer {
	switch f.Name {
	case "KMSDenied":
		return refusal(http.StatusForbidden, "AccessDenied", kmsDenied(c.op))
	case "KMSDisabled":
		return refusal(http.StatusBadRequest, "KMS.DisabledException", kmsKey+" is disabled.")
	case "Archived":
		return refusal(http.StatusForbidden, "InvalidObjectState",
			"The operation is not valid for the object's storage class",
			detail{"StorageClass", "GLACIER"})
	case "SlowDown":
		a := refusal(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		a.header = map[string]string{"Retry-After": "1"}
		return a
	case "InternalError":
		return refusal(http.StatusInternalServerError, "InternalError",
			"We encountered an internal error. Please try again.")
	case "Redirect":
		return redirect(c.bucket)
	case "OtherRegion":
		return refusal(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; the region '"+c.region+
				"' is wrong; expecting '"+f.Region+"'",
			detail{"Region", f.Region})
	case "HTML":
		return &answer{
			status: http.StatusOK,
			header: map[string]string{"Content-Type": "text/html"},
			body:   signInPage,
		}
	}
	return nil
}

// redirect is the answer for a request to the wrong region.
func redirect(bucket string) *answer {
	a := refusal(http.StatusMovedPermanently, "PermanentRedirect",
		"The bucket you are attempting to access must be addressed using the specified endpoint. "+
			"Please send all future requests to this endpoint.",
		detail{"Endpoint", bucket + ".s3." + gateway.Region + ".amazonaws.com"},
		detail{"Bucket", bucket})
	a.header = map[string]string{"X-Amz-Bucket-Region": gateway.Region}
	return a
}

// kmsDenied is the message with which S3 passes on that KMS refused a
// key. The action differs for reads and writes.
func kmsDenied(op string) string {
	action := "kms:Decrypt"
	if op == "put" || op == "create" {
		action = "kms:GenerateDataKey"
	}
	return "User: arn:aws:iam::" + gateway.Account + ":user/ann is not authorized to perform: " +
		action + " on resource: " + kmsKey +
		" because no identity-based policy allows the " + action + " action"
}

// detail is an element that only some errors have.
type detail struct{ name, value string }

// MarshalXML implements xml.Marshaler.
func (d detail) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(d.value, xml.StartElement{Name: xml.Name{Local: d.name}})
}

// refusal is an error as S3 writes it.
func refusal(status int, code, message string, details ...detail) *answer {
	body, _ := xml.Marshal(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Details []detail
		Request string `xml:"RequestId"`
		Host    string `xml:"HostId"`
	}{Code: code, Message: message, Details: details, Request: requestID, Host: "aGVsbG8="})
	return &answer{status: status, body: xml.Header + string(body)}
}
