package s3error

import (
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
	return regionIn(answer.Response.Header, message)
}

// regionPattern matches regions. A server must not be able to put
// another host name into the URLs of later requests.
var regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// regionIn returns the region that the header names, or else the
// message, as in "expecting 'eu-west-1'". Servers use different quotes.
func regionIn(h http.Header, message string) string {
	region := h.Get(RegionHeader)
	if region == "" {
		region = strings.Trim(after(message, "expecting "), `'".`)
	}
	if !regionPattern.MatchString(region) {
		return ""
	}
	return region
}

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
