// Package fastread reads objects of S3 with little processor time. A
// read that succeeds at once does not pass through the middleware of
// the SDK, which takes three times as long as the request itself.
//
// What a request looks like and how it is signed is the SDK's decision:
// the Reader lets the SDK make one sample request for a bucket, which
// is not sent, and copies it for each key. It signs with the SDK's
// signer and credentials.
//
// What happens after any failure is the SDK's decision too. The Reader
// then makes the call with the SDK, and hands it the failure as the
// result of the first attempt. So errors, attempts, waits, and the
// correction of the clock are those of the SDK, and no request is sent
// twice for it.
//
// Some buckets are read with the SDK alone: those whose requests are
// not signed with Signature Version 4 or not at all. These are
// directory buckets (S3 Express), which have sessions of their own, and
// access points of several regions, which have Signature Version 4A.
package fastread

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Request says what is read.
type Request struct {
	Key     string
	Range   string // the header; empty for the whole object
	IfMatch string // the header; empty for no condition
}

// Answer is S3's answer to a read, before its body is read.
type Answer struct {
	Body     io.ReadCloser // the caller must close it
	ETag     string        // as the server sends it, with quotes
	Modified time.Time     // zero if the server does not say it
	Length   *int64        // Content-Length; nil if the server does not say it
	Range    *string       // Content-Range; nil if the server sent the whole object
}

// Reader reads the objects of one bucket as one client of the SDK would
// read them. Make it with New. It is safe for concurrent use, and must
// not be copied.
type Reader struct {
	api         *sdk.Client
	http        *http.Client
	bucket      string
	credentials aws.CredentialsProvider
	retryer     aws.RetryerV2

	once    sync.Once
	fast    bool    // set by once; false if the SDK makes all reads
	pattern pattern // set by once

	// skew is how much the server's clock is ahead of the worker's, in
	// nanoseconds. The last answer counts, as it does in the SDK.
	skew atomic.Int64
}

// New makes a Reader. The client http must be the one that api uses.
func New(api *sdk.Client, http *http.Client, bucket string) *Reader {
	options := api.Options()
	// A retryer of another form stays nil: then the SDK makes all reads.
	retryer, _ := options.Retryer.(aws.RetryerV2)
	return &Reader{
		api: api, http: http, bucket: bucket,
		credentials: options.Credentials, retryer: retryer,
	}
}

// API returns the SDK's client that the Reader was made for.
func (r *Reader) API() *sdk.Client { return r.api }

// Get makes one read. Its error is one that the SDK returns.
func (r *Reader) Get(ctx context.Context, in Request) (Answer, error) {
	r.once.Do(func() { r.observe(ctx) })
	if !r.fast || in.Key == "" {
		return r.getWithSDK(ctx, in, &firstAttempt{})
	}
	release, err := r.retryer.GetAttemptToken(ctx)
	if err != nil {
		return Answer{}, err
	}
	first := r.attempt(ctx, in)
	if answer, ok := first.success(); ok {
		_ = release(nil) // refills the quota of retries; the SDK ignores the error too
		return answer, nil
	}
	return r.getWithSDK(ctx, in, &first)
}

// observe sets fast and pattern.
func (r *Reader) observe(ctx context.Context) {
	if r.retryer != nil {
		r.pattern, r.fast = observe(context.WithoutCancel(ctx), r.api, r.bucket)
	}
}

// attempt makes the first attempt of a read.
func (r *Reader) attempt(ctx context.Context, in Request) firstAttempt {
	req := r.pattern.request(ctx, in)
	if r.pattern.signer != nil {
		who, err := r.credentials.Retrieve(ctx)
		if err != nil {
			return firstAttempt{noCredentials: err}
		}
		at := time.Now().Add(time.Duration(r.skew.Load()))
		if err := r.pattern.signer.sign(req, who, at); err != nil {
			return firstAttempt{}
		}
	}
	r.pattern.addUnsigned(req.Header)
	resp, err := r.http.Do(req) //nolint:bodyclose // the caller gets it, or drop closes it
	if err == nil {
		r.learnSkew(resp.Header)
	}
	return firstAttempt{response: resp, failure: err}
}

// learnSkew compares the clocks. A cached answer has an old date.
func (r *Reader) learnSkew(h http.Header) {
	date := h.Get("Date")
	if date == "" || h.Get("Age") != "" {
		return
	}
	if at, err := smithyhttp.ParseTime(date); err == nil {
		r.skew.Store(int64(time.Until(at)))
	}
}

// getWithSDK makes a read with the SDK. If there was a first attempt,
// the SDK gets its result.
func (r *Reader) getWithSDK(ctx context.Context, in Request, first *firstAttempt) (Answer, error) {
	defer first.drop()
	out, err := r.api.GetObject(ctx, &sdk.GetObjectInput{
		Bucket: aws.String(r.bucket), Key: aws.String(in.Key),
		Range: optional(in.Range), IfMatch: optional(in.IfMatch),
	}, first.replay)
	if err != nil {
		return Answer{}, err
	}
	return Answer{
		Body: out.Body, ETag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified),
		Length: out.ContentLength, Range: out.ContentRange,
	}, nil
}

func optional(header string) *string {
	if header == "" {
		return nil
	}
	return &header
}
