package s3error

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

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
