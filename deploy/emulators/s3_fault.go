package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// s3Fault is what a test asks for: a name, and which requests it happens to.
type s3Fault struct {
	Name      string        `json:"name"`
	Bucket    string        `json:"bucket"`     // empty means any
	AccessKey string        `json:"access_key"` // that signed the request; empty means any
	Op        string        `json:"op"`         // as in s3Call; empty means any
	Skip      int           `json:"skip"`       // requests that are let through first
	Times     int           `json:"times"`      // how often it happens; 0 means always
	Bytes     int64         `json:"bytes"`      // of SlowBody and CutBody: what comes before
	Pause     time.Duration `json:"pause"`      // of SlowBody: before each piece that follows
	Region    string        `json:"region"`     // of OtherRegion: where the bucket is

	id       int
	seen     int // requests that it fits
	happened int
}

// s3Faults are the names. An answer with a code is AWS's own, in the words of
// its API reference and of reports from the field.
func s3Faults() []string {
	return []string{"KMSDenied", "KMSDisabled", "Archived", "SlowDown", "InternalError", "Redirect", "OtherRegion", "HTML", "SlowBody", "CutBody", "LostAnswer"}
}

// check says what is wrong with a fault. One that names neither a bucket nor
// a user would happen to everybody's tests.
func (f *s3Fault) check() error {
	switch {
	case !slices.Contains(s3Faults(), f.Name):
		return fmt.Errorf("no fault %q; there are %v", f.Name, s3Faults())
	case f.Bucket == "" && f.AccessKey == "":
		return fmt.Errorf("fault %s names neither a bucket nor an access key", f.Name)
	}
	return nil
}

func (f *s3Fault) fits(c s3Call) bool {
	if f.Name == "Redirect" && c.region == region { // already in the right place
		return false
	}
	return (f.Bucket == "" || f.Bucket == c.bucket) && (f.AccessKey == "" || f.AccessKey == c.accessKey) && (f.Op == "" || f.Op == c.op)
}

// turn counts a request that the fault fits, and reports whether it happens
// to it.
func (f *s3Fault) turn() bool {
	f.seen++
	if f.seen <= f.Skip || f.Times > 0 && f.happened >= f.Times {
		return false
	}
	f.happened++
	return true
}

// s3Answer is what is said instead of the gateway's answer.
type s3Answer struct {
	status int
	header map[string]string
	body   string
}

func (a *s3Answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "4442587FB7D0A2F9")
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

const kmsKey = "arn:aws:kms:" + region + ":" + account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"

// told is the answer of a fault; nil when it is the gateway's that is
// spoiled.
func (f *s3Fault) told(c s3Call) *s3Answer {
	refuse := func(status int, code, message string, more ...s3Detail) *s3Answer {
		return &s3Answer{status: status, body: errorXML(code, message, more)}
	}
	switch f.Name {
	case "KMSDenied":
		return refuse(http.StatusForbidden, "AccessDenied", kmsRefusal(c.op))
	case "KMSDisabled":
		return refuse(http.StatusBadRequest, "KMS.DisabledException", kmsKey+" is disabled.")
	case "Archived":
		return refuse(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class", s3Detail{"StorageClass", "GLACIER"})
	case "SlowDown":
		a := refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		a.header = map[string]string{"Retry-After": "1"}
		return a
	case "InternalError":
		return refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	case "Redirect":
		a := refuse(http.StatusMovedPermanently, "PermanentRedirect",
			"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
			s3Detail{"Endpoint", c.bucket + ".s3." + region + ".amazonaws.com"}, s3Detail{"Bucket", c.bucket})
		a.header = map[string]string{"X-Amz-Bucket-Region": region}
		return a
	case "OtherRegion":
		return refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; the region '"+c.region+"' is wrong; expecting '"+f.Region+"'", s3Detail{"Region", f.Region})
	case "HTML":
		return &s3Answer{
			status: http.StatusOK, header: map[string]string{"Content-Type": "text/html"},
			body: "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>console</form></body></html>",
		}
	}
	return nil
}

// kmsRefusal is how S3 passes on that KMS refuses a key, to who reads and to
// who writes.
func kmsRefusal(op string) string {
	action := "kms:Decrypt"
	if op == "put" || op == "create" {
		action = "kms:GenerateDataKey"
	}
	return "User: arn:aws:iam::" + account + ":user/ann is not authorized to perform: " + action + " on resource: " + kmsKey +
		" because no identity-based policy allows the " + action + " action"
}

// s3Detail is an element that only some errors have.
type s3Detail struct{ name, value string }

// MarshalXML implements xml.Marshaler.
func (d s3Detail) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(d.value, xml.StartElement{Name: xml.Name{Local: d.name}})
}

func errorXML(code, message string, more []s3Detail) string {
	body, _ := xml.Marshal(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Details []s3Detail
		Request string `xml:"RequestId"`
		Host    string `xml:"HostId"`
	}{Code: code, Message: message, Details: more, Request: "4442587FB7D0A2F9", Host: "aGVsbG8="})
	return xml.Header + string(body)
}

// spoiled is the body of an answer that is slow, or breaks off.
type spoiled struct {
	io.ReadCloser
	gone  <-chan struct{} // the client has left
	fault *s3Fault
	left  int64 // bytes before the fault happens
}

const slowPiece = 1024 // bytes that come at a time

// Read implements io.Reader.
func (s *spoiled) Read(p []byte) (int, error) {
	if s.left > 0 {
		n, err := s.ReadCloser.Read(p[:min(int64(len(p)), s.left)])
		s.left -= int64(n)
		return n, err
	}
	if s.fault.Name == "CutBody" {
		return 0, io.ErrUnexpectedEOF // the proxy breaks the connection off
	}
	pause := time.NewTimer(s.fault.Pause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-s.gone:
		return 0, io.ErrUnexpectedEOF
	}
	return s.ReadCloser.Read(p[:min(len(p), slowPiece)])
}
