package s3error

import (
	"cmp"
	"errors"
	"net/http"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/providers"
)

// RegionHeader is the header in which S3 names the region of a bucket.
const RegionHeader = "x-amz-bucket-region"

// Region returns the region to which the answer in err redirects. It is
// empty for a nil error, and for one that is no redirect.
func Region(err error) string {
	var answer *awshttp.ResponseError
	if err == nil || !errors.As(err, &answer) || answer.Response == nil || IsSTS(err) {
		return ""
	}
	switch answer.HTTPStatusCode() {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
	default:
		return ""
	}

	message := ""
	var reported smithy.APIError
	if errors.As(err, &reported) {
		message = reported.ErrorMessage()
	}
	return regionIn(answer, message)
}

// regionPattern matches regions. A server must not be able to put
// another host name into the URLs of later requests.
var regionPattern = regexp.MustCompile(`^[A-Za-z0-9-]{1,63}$`)

// regionIn returns the region that an answer names: in the header, in
// the error document, or in its message. It is empty if none of them
// has one.
func regionIn(answer *awshttp.ResponseError, message string) string {
	region := cmp.Or(
		answer.Response.Header.Get(RegionHeader),
		documentOf(answer).region,
		regionInMessage(message),
	)
	if !regionPattern.MatchString(region) {
		return ""
	}
	return region
}

// regionInMessage finds the region in "expecting 'eu-west-1'" of AWS,
// and in "expected: '20261127/garage/s3/aws4_request'" of Garage.
// Servers use different quotes.
func regionInMessage(message string) string {
	if region := after(message, "expecting "); region != "" {
		return strings.Trim(region, quotes)
	}
	scope := strings.Split(strings.Trim(after(message, "expected: "), quotes), "/")
	if len(scope) == 4 && scope[2] == "s3" {
		return scope[1]
	}
	return ""
}

const quotes = `'".`

// IsWrongRegion reports whether a classified error means that the
// request was sent to a wrong region.
func IsWrongRegion(e *providers.Error) bool {
	switch e.Code {
	case "PermanentRedirect", "AuthorizationHeaderMalformed",
		"IllegalLocationConstraintException", "MovedPermanently":
		return true
	}
	return false
}
