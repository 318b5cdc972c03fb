package sts

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

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
)

// authorization matches a signature and holds its access key, region,
// signed headers and the signature itself.
var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 ` +
	`Credential=([^/]+)/\d{8}/([^/]+)/sts/aws4_request, ?` +
	`SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$`)

// authenticate returns who signed a request. The form must have been
// parsed.
func (s *Server) authenticate(r *http.Request) (gateway.Identity, *failure) {
	parts := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	signedAt, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if parts == nil || err != nil {
		return gateway.Identity{}, &failure{
			http.StatusForbidden, "MissingAuthenticationToken",
			"Request is missing Authentication Token",
		}
	}
	caller, ok := s.find(parts[1])
	if !ok {
		return gateway.Identity{}, &failure{
			http.StatusForbidden, "InvalidClientTokenId",
			"The security token included in the request is invalid.",
		}
	}

	sig := signature{region: parts[2], headers: parts[3], value: parts[4], at: signedAt}
	if !sig.isOf(r, caller.Keys) {
		return gateway.Identity{}, &failure{
			http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. " +
				"Check your AWS Secret Access Key and signing method.",
		}
	}
	return caller, nil
}

// signature is a signature of a request, and what it covers.
type signature struct {
	region  string
	headers string // names of the signed headers, separated by semicolons
	value   string
	at      time.Time
}

// isOf reports whether the keys give the same signature for the
// request.
func (s signature) isOf(r *http.Request, keys gateway.Keys) bool {
	body := r.PostForm.Encode()
	again, err := http.NewRequestWithContext(
		r.Context(), r.Method, "http://"+r.Host+r.URL.Path, strings.NewReader(body))
	if err != nil {
		return false
	}
	for name := range strings.SplitSeq(s.headers, ";") {
		if name != "host" && name != "content-length" {
			again.Header.Set(name, r.Header.Get(name))
		}
	}

	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{
		AccessKeyID:     keys.AccessKeyID,
		SecretAccessKey: keys.SecretAccessKey,
	}
	err = v4.NewSigner().SignHTTP(
		r.Context(), credentials, again, hex.EncodeToString(sum[:]), "sts", s.region, s.at)
	if err != nil {
		return false
	}
	got := authorization.FindStringSubmatch(again.Header.Get("Authorization"))
	return got != nil && subtle.ConstantTimeCompare([]byte(got[4]), []byte(s.value)) == 1
}
