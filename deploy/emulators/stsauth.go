package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/sts/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$`)

// authenticate finds who signed a request whose form has been parsed.
func (s *stsServer) authenticate(r *http.Request) (principal, *stsError) {
	parts := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if parts == nil || err != nil {
		return principal{}, &stsError{http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	}
	caller, ok := s.known(parts[1])
	if !ok {
		return principal{}, &stsError{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	if !s.signedBy(r, caller, parts[2:], signed) {
		return principal{}, &stsError{
			http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
		}
	}
	return caller, nil
}

// signedBy signs the request again and compares. want is region, signed
// headers and signature.
func (s *stsServer) signedBy(r *http.Request, caller principal, want []string, at time.Time) bool {
	body := r.PostForm.Encode()
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.Path, strings.NewReader(body))
	if err != nil {
		return false
	}
	for name := range strings.SplitSeq(want[1], ";") {
		if name != "host" && name != "content-length" {
			again.Header.Set(name, r.Header.Get(name))
		}
	}
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: caller.keys.AccessKeyID, SecretAccessKey: caller.keys.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(r.Context(), creds, again, hex.EncodeToString(sum[:]), "sts", want[0], at); err != nil {
		return false
	}
	got := authorization.FindStringSubmatch(again.Header.Get("Authorization"))
	return got != nil && subtle.ConstantTimeCompare([]byte(got[4]), []byte(want[2])) == 1
}
