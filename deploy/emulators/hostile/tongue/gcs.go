package tongue

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// gcs is the JSON API of Google Cloud Storage, and the exchange of a
// key file for a token at the path /token.
type gcs struct{}

// Parse implements Tongue.
func (gcs) Parse(r *http.Request) Call {
	if r.URL.Path == "/token" {
		return Call{Op: Token, Bucket: account(r)}
	}
	q := r.URL.Query()
	c := Call{Prefix: q.Get("prefix"), After: q.Get("startOffset"), Token: q.Get("pageToken")}
	_, rest, _ := strings.Cut(r.URL.EscapedPath(), "/b/")
	c.Bucket, rest, _ = strings.Cut(rest, "/")
	kind, key, _ := strings.Cut(rest, "/")
	c.Key, _ = url.PathUnescape(key)
	c = c.withRange(r.Header.Get("Range"))
	c.Host, c.Op = r.Host, gcsOp(r, kind, c.Key == "")
	if span, ok := strings.CutPrefix(r.Header.Get("Content-Range"), "bytes "); ok {
		from, _, _ := strings.Cut(span, "-")
		c.Offset, _ = strconv.ParseInt(from, 10, 64)
	}
	return c
}

// account returns the name of the service account in an assertion.
func account(r *http.Request) string {
	_ = r.ParseForm()
	_, claims, _ := strings.Cut(r.Form.Get("assertion"), ".")
	claims, _, _ = strings.Cut(claims, ".")
	data, _ := base64.RawURLEncoding.DecodeString(claims)
	var said struct {
		Issuer string `json:"iss"`
	}
	_ = json.Unmarshal(data, &said)
	name, _, _ := strings.Cut(said.Issuer, "@")
	return name
}

func gcsOp(r *http.Request, kind string, bucket bool) Op {
	upload := strings.HasPrefix(r.URL.Path, "/upload/")
	switch {
	case kind != "o":
		return Other
	case upload && r.URL.Query().Has("upload_id"):
		if strings.HasSuffix(r.Header.Get("Content-Range"), "/*") {
			return Part
		}
		return Finish
	case upload && r.URL.Query().Get("uploadType") == "resumable":
		return Start
	case upload:
		return Put
	case r.Method != http.MethodGet:
		return Other
	case bucket:
		return List
	case r.URL.Query().Get("alt") == "media":
		return Get
	}
	return Stat
}

func gcsHeader() map[string]string {
	return map[string]string{
		"X-Guploader-Uploadid": "AHmUCY0z", "X-Goog-Generation": number,
		"X-Goog-Metageneration": "1", "Content-Type": "application/json",
	}
}

// Page implements Tongue.
func (gcs) Page(_ Call, objects []Object, next string) Answer {
	a := Answer{
		Status: http.StatusOK, Header: gcsHeader(),
		Head: `{"kind":"storage#objects","nextPageToken":` + quote(next) + `,"items":[`,
		Tail: `]}`,
	}
	for i, o := range objects {
		comma := ""
		if i > 0 {
			comma = ","
		}
		a.Items = append(a.Items, comma+resource(o))
	}
	return a
}

// resource describes an object.
func resource(o Object) string {
	return `{"kind":"storage#object","name":` + quote(o.Key) + `,"size":` + quote(o.Size) +
		`,"generation":"` + number + `","updated":"` + instant + `"}`
}

func quote(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

// Object implements Tongue.
func (gcs) Object(c Call, content []byte) Answer {
	if c.Op == Get {
		return c.content(content, gcsHeader())
	}
	o := Object{Key: c.Key, Size: strconv.Itoa(len(content))}
	return Answer{Status: http.StatusOK, Header: gcsHeader(), Items: []string{resource(o)}}
}

// Stored implements Tongue.
func (gcs) Stored(c Call, n int64) Answer {
	a := Answer{Status: http.StatusOK, Header: gcsHeader()}
	switch c.Op {
	case Start:
		path := "/upload/storage/v1/b/" + c.Bucket + "/o?upload_id=upload"
		a.Header["Location"] = "http://" + c.Host + path
	case Part:
		// Google's form of 308, for clients that ask for it.
		a.Header["X-Http-Status-Code-Override"] = "308"
		a.Header["Range"] = "bytes=0-" + strconv.FormatInt(c.Offset+n-1, 10)
	case Token:
		a.Items = []string{`{"access_token":"gcs-access-token","token_type":"Bearer","expires_in":3600}`}
	default:
		o := Object{Key: c.Key, Size: strconv.FormatInt(c.Offset+n, 10)}
		a.Items = []string{resource(o)}
	}
	return a
}

// Nothing implements Tongue.
func (gcs) Nothing(null bool) string {
	if null {
		return `,null`
	}
	return `,{}`
}

// Refusal implements Tongue.
func (gcs) Refusal(c Call, status int, message string) Answer {
	reason := map[int]string{403: "forbidden", 404: "notFound", 503: "backendError"}[status]
	a := Answer{
		Status: status, Header: gcsHeader(),
		Head:  `{"error":{"code":` + strconv.Itoa(status) + `,"errors":[{"reason":"` + reason + `"}],"message":"`,
		Items: []string{message},
		Tail:  `"}}`,
	}
	if c.Op == Token {
		a.Head, a.Tail = `{"error":"invalid_grant","error_description":"`, `"}`
	}
	return a
}
