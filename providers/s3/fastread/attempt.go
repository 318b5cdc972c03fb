package fastread

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	smithytime "github.com/aws/smithy-go/time"

	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
)

// firstAttempt is the result of the attempt that was made without the
// SDK. The zero value says that there was none. It is not safe for
// concurrent use.
type firstAttempt struct {
	response      *http.Response
	failure       error // of a request that got no answer
	noCredentials error // why there was no request

	next        sdk.HTTPClient          // sends the attempts that follow
	credentials aws.CredentialsProvider // for the attempts that follow
}

// success returns the answer, if it is one that needs no more than what
// is read here. The SDK decides about every other one.
func (f *firstAttempt) success() (Answer, bool) {
	resp := f.response
	if resp == nil || f.failure != nil ||
		resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		return Answer{}, false
	}
	answer := Answer{
		Body: resp.Body, ETag: resp.Header.Get("ETag"),
		Range: optional(resp.Header.Get("Content-Range")),
	}
	if resp.ContentLength >= 0 {
		answer.Length = &resp.ContentLength
	}
	if modified := resp.Header.Get("Last-Modified"); modified != "" {
		at, err := smithytime.ParseHTTPDate(modified)
		if err != nil {
			return Answer{}, false
		}
		answer.Modified = at
	}
	return answer, true
}

// replay is an option of a call of the SDK. It puts the result in the
// place of the SDK's first attempt.
func (f *firstAttempt) replay(o *sdk.Options) {
	if f.noCredentials != nil {
		f.credentials, o.Credentials = o.Credentials, f
	}
	if f.response != nil || f.failure != nil {
		f.next, o.HTTPClient = o.HTTPClient, f
	}
}

// Do implements the SDK's HTTPClient.
func (f *firstAttempt) Do(r *http.Request) (*http.Response, error) {
	response, failure := f.response, f.failure
	f.response, f.failure = nil, nil
	if response == nil && failure == nil {
		return f.next.Do(r)
	}
	if failure == nil {
		s3error.KeepFailure(response)
	}
	return response, failure
}

// Retrieve implements aws.CredentialsProvider.
func (f *firstAttempt) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if err := f.noCredentials; err != nil {
		f.noCredentials = nil
		return aws.Credentials{}, err
	}
	return f.credentials.Retrieve(ctx)
}

// drop closes an answer that the SDK did not take.
func (f *firstAttempt) drop() {
	if f.response != nil {
		_ = f.response.Body.Close()
	}
}

// sign signs a request that has no body.
func (s *signer) sign(r *http.Request, who aws.Credentials, at time.Time) error {
	return s.http.SignHTTP(
		r.Context(), who, r, s.payloadHash, s.name, s.region, at, s.options,
	)
}
