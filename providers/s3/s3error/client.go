package s3error

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"

	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// Client sends the requests of the SDK, each as one of its operation
// (package limits). It keeps the body of every answer that reports an
// error, because Classify needs more of it than the SDK returns.
type Client struct {
	HTTP *http.Client // must not be nil; bounds answers that report an error
}

// Do implements the HTTPClient of the SDK.
func (c Client) Do(req *http.Request) (*http.Response, error) {
	call := middleware.GetOperationName(req.Context())
	resp, err := c.HTTP.Do(req.WithContext(limits.For(req.Context(), operationOf(call))))
	if err == nil {
		KeepFailure(resp)
	}
	return resp, err
}

// KeepFailure prepares an answer for the SDK: if it reports an error,
// its body stays readable after the SDK has read it. The client that
// the answer comes from must bound such bodies.
func KeepFailure(resp *http.Response) {
	if resp.StatusCode < http.StatusMultipleChoices || resp.Body == nil {
		return
	}
	content, err := io.ReadAll(resp.Body)
	resp.Body = &errorBody{
		Reader:  io.MultiReader(bytes.NewReader(content), failingReader{err}),
		Closer:  resp.Body,
		content: content,
	}
}

// operationOf returns the operation of a call of the SDK. A call that
// it does not know is refused by the transport.
func operationOf(call string) limits.Operation {
	switch call {
	case "ListObjectsV2", "ListObjectVersions", "ListBuckets":
		return limits.ListXML
	case "HeadObject", "GetBucketVersioning", "GetBucketPolicy", "GetBucketCors":
		return limits.Describe
	case "GetObject":
		return limits.Read
	case "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		return limits.Write
	case "DeleteObject", "AbortMultipartUpload":
		return limits.Delete
	case "CreateSession", "AssumeRole", "GetCallerIdentity":
		return limits.SignIn
	}
	return 0
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
