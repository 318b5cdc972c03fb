package s3error

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// maxErrorBody is in bytes. The error documents of S3 have about 1 KB.
const maxErrorBody = 64 << 10

// Client sends the requests of the SDK. It keeps the body of every
// answer that reports an error, because Classify needs more of it than
// the SDK returns. It reads 64 KiB of such a body at most.
type Client struct {
	HTTP *http.Client // must not be nil
}

// Do implements the HTTPClient of the SDK.
func (c Client) Do(req *http.Request) (*http.Response, error) {
	resp, err := c.HTTP.Do(req)
	if err != nil || resp.StatusCode < http.StatusMultipleChoices || resp.Body == nil {
		return resp, err
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	resp.Body = &errorBody{
		Reader:  io.MultiReader(bytes.NewReader(content), failingReader{err}),
		Closer:  resp.Body,
		content: content,
	}
	return resp, nil
}

// errorBody is the body of an answer that reports an error.
type errorBody struct {
	io.Reader
	io.Closer
	content []byte // what was read of it
}

// failingReader fails with err. If that is nil, it is at its end.
type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) {
	if r.err == nil {
		return 0, io.EOF
	}
	return 0, r.err
}

// document holds what an error of S3 or STS says and the SDK does not
// tell: whether it has a code at all, and the bucket's region.
type document struct{ code, region string }

// documentOf reads the body of an answer that reports an error. The
// result is empty without a body, and for one in another format.
func documentOf(answer *awshttp.ResponseError) document {
	body, ok := answer.Response.Body.(*errorBody)
	if !ok {
		return document{}
	}
	var d document
	decoder := xml.NewDecoder(bytes.NewReader(body.content))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return d
		}
		if err != nil {
			return document{}
		}
		start, _ := token.(xml.StartElement)
		var text *string
		switch {
		case start.Name.Local == "Code" && d.code == "":
			text = &d.code
		case start.Name.Local == "Region" && d.region == "":
			text = &d.region
		default:
			continue
		}
		if err := decoder.DecodeElement(text, &start); err != nil {
			return document{}
		}
	}
}
