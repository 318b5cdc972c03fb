package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/limits"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
)

// ErrRegionUnknown is in the error of a call that was not made, because
// AWS did not say in which region the bucket is.
var ErrRegionUnknown = errors.New("the bucket's region is not known")

// Region returns the region that requests go to. It is empty before the
// first call.
func (c *Client) Region() string {
	api := c.current.Load()
	if api == nil {
		return ""
	}
	return api.Options().Region
}

// GivenRegion returns the region of the payload; empty if it has none.
func (c *Client) GivenRegion() string { return c.storage.Region }

// HasFoundRegion reports whether the payload has no region and requests
// go to one that was found out.
func (c *Client) HasFoundRegion() bool {
	return c.storage.Region == "" && c.Region() != c.options.Region
}

// findRegion asks AWS by an unsigned HEAD. S3 names the region in a
// header with every status, 403 and 301 included (documentation of
// HeadBucket). This works in the partition "aws"; China and governments
// need a region.
func (c *Client) findRegion(ctx context.Context) (string, error) {
	at := "https://s3." + defaultRegion + ".amazonaws.com/" + url.PathEscape(c.storage.Bucket)
	ctx = limits.For(ctx, limits.Describe)
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, at, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if region := resp.Header.Get(s3error.RegionHeader); region != "" {
		return region, nil
	}

	e := &providers.Error{
		Status:    resp.StatusCode,
		RequestID: driver.Printable(resp.Header.Get("x-amz-request-id")),
		Kind:      providers.KindOfStatus(resp.StatusCode),
	}
	if resp.StatusCode == http.StatusNotFound {
		e.Code = "NoSuchBucket"
		e.Fix = "Check the bucket name; give the region if it is one of China or of a government."
		return "", e
	}
	e.Detail = fmt.Sprintf("AWS did not say in which region the bucket is (%s)",
		driver.StatusText(resp.StatusCode))
	e.Fix = "Give the bucket's region."
	e.Err = ErrRegionUnknown
	return "", e
}
