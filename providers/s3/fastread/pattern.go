package fastread

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// pattern is a read of one bucket as the SDK would send it, without the
// key and the time. All reads of the bucket are made from it.
type pattern struct {
	scheme, host string
	path, raw    string // of the URL, as far as the key, decoded and encoded
	query        string

	signed   http.Header // the headers that are signed
	unsigned http.Header // those that servers on the way may change

	signer *signer // nil for anonymous reads
}

// signer signs reads as the SDK would sign them.
type signer struct {
	http         v4.HTTPSigner
	options      func(*v4.SignerOptions)
	payloadHash  string
	name, region string // of the service that is signed for
}

// sampleKey is the key of the read that the SDK is asked to make. It
// has no character that is encoded.
const sampleKey = "key"

// errNotSent ends the sample read.
var errNotSent = errors.New("this request is a sample and is not sent")

// observe lets the SDK make a read, and takes the pattern from it. No
// request is sent, and no credentials are asked for. ok is false if the
// SDK makes no request at all, or signs it in another way than with
// Signature Version 4.
func observe(ctx context.Context, api *sdk.Client, bucket string) (p pattern, ok bool) {
	o := &observer{}
	_, _ = api.GetObject(ctx, &sdk.GetObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(sampleKey),
	}, o.watch)
	if o.sent == nil || o.otherScheme {
		return pattern{}, false
	}
	at := o.sent.URL
	path, found := strings.CutSuffix(at.Path, "/"+sampleKey)
	raw, foundRaw := strings.CutSuffix(at.EscapedPath(), "/"+sampleKey)
	if !found || !foundRaw || o.sent.Host != "" && o.sent.Host != at.Host {
		return pattern{}, false
	}
	p = pattern{
		scheme: at.Scheme, host: at.Host, path: path + "/", raw: raw + "/", query: at.RawQuery,
		signer: o.signer, signed: o.signed, unsigned: http.Header{},
	}
	for name, values := range o.sent.Header {
		// The SDK's own headers number its attempts. They tell the
		// server nothing that it needs.
		if _, isSigned := p.signed[name]; !isSigned && !strings.HasPrefix(name, "Amz-Sdk-") {
			p.unsigned[name] = values
		}
	}
	return p, true
}

// observer stands in the place of the SDK's signers and of its HTTP
// client.
type observer struct {
	signed      http.Header // of the request when it is to be signed
	signer      *signer
	otherScheme bool // the request is signed in another way
	sent        *http.Request
	http        v4.HTTPSigner
}

// watch is an option of a call of the SDK.
func (o *observer) watch(options *sdk.Options) {
	schemes := make([]smithyhttp.AuthScheme, len(options.AuthSchemes))
	for i, scheme := range options.AuthSchemes {
		schemes[i] = watchedScheme{scheme, o}
	}
	options.AuthSchemes = schemes
	options.HTTPClient = o
	options.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 1 })
	o.http = options.HTTPSignerV4
}

// Do implements the SDK's HTTPClient. It sends nothing.
func (o *observer) Do(r *http.Request) (*http.Response, error) {
	o.sent = r
	return nil, errNotSent
}

// request makes the request of a read. It is not signed, and has none
// of the headers that are not signed.
func (p *pattern) request(ctx context.Context, in Request) *http.Request {
	const more = 5 // Range, If-Match, and three of the signer
	header := make(http.Header, len(p.signed)+len(p.unsigned)+more)
	maps.Copy(header, p.signed) // nobody changes the values
	if in.Range != "" {
		header["Range"] = []string{in.Range}
	}
	if in.IfMatch != "" {
		header["If-Match"] = []string{in.IfMatch}
	}
	r := &http.Request{
		Method: http.MethodGet,
		URL: &url.URL{
			Scheme: p.scheme, Host: p.host,
			Path: p.path + in.Key, RawPath: p.raw + escape(in.Key), RawQuery: p.query,
		},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header,
	}
	return r.WithContext(limits.For(ctx, limits.Read))
}

// addUnsigned adds the headers that are not signed.
func (p *pattern) addUnsigned(header http.Header) { maps.Copy(header, p.unsigned) }

// escape encodes a key for a URL as S3 demands it: all bytes but
// letters, digits, -, ., _, ~ and the slash.
func escape(key string) string {
	first := 0
	for first < len(key) && isPlain(key[first]) {
		first++
	}
	if first == len(key) {
		return key
	}
	const digits = "0123456789ABCDEF"
	escaped := make([]byte, first, 3*len(key))
	copy(escaped, key)
	for _, c := range []byte(key[first:]) {
		if isPlain(c) {
			escaped = append(escaped, c)
		} else {
			escaped = append(escaped, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(escaped)
}

func isPlain(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~' || c == '/'
}
