package tongue

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
)

// s3 is the API of S3 in path style, and AssumeRole of STS at the
// path /sts.
type s3 struct{}

// Parse implements Tongue.
func (s3) Parse(r *http.Request) Call {
	if r.URL.Path == "/sts" {
		_ = r.ParseForm()
		_, role, _ := strings.Cut(r.Form.Get("RoleArn"), ":role/")
		return Call{Op: Token, Bucket: role}
	}
	q := r.URL.Query()
	c := Call{
		Prefix: q.Get("prefix"), After: q.Get("start-after"), Token: q.Get("continuation-token"),
	}
	c.Bucket, c.Key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c = c.withRange(r.Header.Get("Range"))
	c.Op = s3Op(r.Method, c.Key == "", q)
	return c
}

func s3Op(method string, bucket bool, q url.Values) Op {
	switch {
	case bucket && method == http.MethodGet && q.Has("list-type"):
		return List
	case bucket:
		return Other
	case method == http.MethodPost && q.Has("uploads"):
		return Start
	case method == http.MethodPost && q.Has("uploadId"):
		return Finish
	case method == http.MethodPut && q.Has("uploadId"):
		return Part
	}
	return map[string]Op{
		http.MethodGet: Get, http.MethodHead: Stat, http.MethodPut: Put,
	}[method]
}

func s3Header() map[string]string {
	return map[string]string{
		"ETag": etag, "X-Amz-Request-Id": "4442587FB7D0A2F9", "Content-Type": "application/xml",
	}
}

// Page implements Tongue.
func (s3) Page(c Call, objects []Object, next string) Answer {
	a := Answer{Status: http.StatusOK, Header: s3Header()}
	delete(a.Header, "ETag")
	a.Head = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>` + escape(c.Bucket) + `</Name>`
	for _, o := range objects {
		a.Items = append(a.Items, `<Contents><Key>`+escape(o.Key)+`</Key><Size>`+o.Size+
			`</Size><ETag>`+o.ETag+`</ETag><LastModified>`+instant+`</LastModified></Contents>`)
	}
	if next != "" {
		a.Tail = `<IsTruncated>true</IsTruncated><NextContinuationToken>` + next + `</NextContinuationToken>`
	}
	a.Tail += `</ListBucketResult>`
	return a
}

// Object implements Tongue.
func (s3) Object(c Call, content []byte) Answer { return c.content(content, s3Header()) }

// Stored implements Tongue.
func (s3) Stored(c Call, _ int64) Answer {
	a := Answer{Status: http.StatusOK, Header: s3Header()}
	switch c.Op {
	case Start:
		a.Head, a.Tail = `<InitiateMultipartUploadResult>`, `</InitiateMultipartUploadResult>`
		a.Items = []string{`<UploadId>upload</UploadId>`}
	case Finish:
		a.Head, a.Tail = `<CompleteMultipartUploadResult>`, `</CompleteMultipartUploadResult>`
		a.Items = []string{`<ETag>` + etag + `</ETag>`}
	case Token:
		a.Head = `<AssumeRoleResponse><AssumeRoleResult><Credentials>`
		a.Items = []string{`<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>sts-secret-key</SecretAccessKey>` +
			`<SessionToken>sts-session-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`}
		a.Tail = `</Credentials></AssumeRoleResult></AssumeRoleResponse>`
	}
	return a
}

// Nothing implements Tongue.
func (s3) Nothing(bool) string {
	return `<Contents/>`
}

// Refusal implements Tongue.
func (s3) Refusal(_ Call, status int, message string) Answer {
	code := map[int]string{403: "AccessDenied", 404: "NoSuchKey", 503: "SlowDown"}[status]
	return Answer{
		Status: status, Header: s3Header(),
		Head:  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>`,
		Items: []string{message},
		Tail:  `</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`,
	}
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}
