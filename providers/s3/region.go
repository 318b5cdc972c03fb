package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

const (
	regionHeader = "x-amz-bucket-region"
	giveRegion   = "Give the bucket's region."
)

// findRegion asks AWS with an unsigned HEAD. S3 names the region in a header
// whatever the status is, 403 and 301 included (documentation of HeadBucket).
// It works within the partition "aws"; those of China and of governments need
// a region.
func (b *bucket) findRegion(ctx context.Context) (string, error) {
	at := "https://s3." + defaultRegion + ".amazonaws.com/" + url.PathEscape(b.storage.Bucket)
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, at, nil)
	if err != nil {
		return "", err
	}
	resp, err := b.opener.Client.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if region := resp.Header.Get(regionHeader); region != "" {
		return region, nil
	}
	e := &providers.Error{Status: resp.StatusCode, RequestID: resp.Header.Get("x-amz-request-id"), Kind: driver.KindOfStatus(resp.StatusCode)}
	if resp.StatusCode == http.StatusNotFound {
		e.Code = "NoSuchBucket"
		e.Fix = "Check the bucket name; give the region if it is one of China or of a government."
		return "", e
	}
	e.Detail = fmt.Sprintf("AWS did not say in which region the bucket is (%s)", http.StatusText(resp.StatusCode))
	e.Fix = giveRegion
	return "", e
}

// regionName keeps what a server says from becoming part of a host name
// unless it can be a region.
var regionName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// regionTold is the region that an answer sends to; empty when it sends
// nowhere.
func regionTold(err error) string {
	var answer *awshttp.ResponseError
	if err == nil || !errors.As(err, &answer) || answer.Response == nil || serviceOf(err) == serviceSTS {
		return ""
	}
	switch answer.HTTPStatusCode() {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
	default:
		return ""
	}
	message := ""
	var told smithy.APIError
	if errors.As(err, &told) {
		message = told.ErrorMessage()
	}
	return regionIn(answer.Response.Header, message)
}

// regionIn reads the region from the header, or from "expecting 'eu-west-1'";
// the quotes differ between servers.
func regionIn(h http.Header, message string) string {
	region := h.Get(regionHeader)
	if region == "" {
		region = strings.Trim(after(message, "expecting "), `'".`)
	}
	if !regionName.MatchString(region) {
		return ""
	}
	return region
}
