package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// listingChecks check the region and the listing of the bucket. One
// request answers both: the first check that needs it makes it.
type listingChecks struct {
	Target
	made     bool             // the request was made
	firstKey string           // an object to read; empty if there are no objects
	failure  *providers.Error // of the listing; nil when it worked
}

// request lists a few objects, once.
func (p *listingChecks) request(ctx context.Context) {
	if p.made {
		return
	}
	p.made = true
	key, err := p.findKey(ctx)
	p.firstKey = key
	if err != nil {
		p.failure = p.Errors.Wrap("list", "", err)
	}
}

// region fails if the answer to the listing means that the region is
// wrong or unknown. It leaves all other failures to list.
func (p *listingChecks) region(ctx context.Context) tasks.Check {
	p.request(ctx)
	if p.failure != nil && isRegionFailure(p.failure) {
		return check.FailError(p.failure)
	}

	region, given := p.Client.Region(), p.Client.GivenRegion()
	denied := p.failure != nil && p.failure.Kind == providers.Denied
	switch {
	case region == "":
		return check.Skip("no answer named the region")
	case given != "" && region != given:
		return check.Warn("WrongRegion",
			"the bucket is in "+region+", not in "+given+"; requests go there all the same",
			"Set the storage's region to "+region+": every worker first asks in the wrong one.")
	case p.failure != nil && !denied:
		return check.Skip("no answer named the region")
	case p.Client.HasFoundRegion():
		return check.OK("found: " + region)
	}
	return check.OK(region)
}

func isRegionFailure(e *providers.Error) bool {
	return s3error.IsWrongRegion(e) || errors.Is(e, client.ErrRegionUnknown)
}

// list reports how the listing went.
func (p *listingChecks) list(context.Context) tasks.Check {
	if p.failure != nil {
		return check.FailError(p.failure)
	}
	evidence := "the bucket can be listed"
	if p.Storage.Prefix != "" {
		evidence = fmt.Sprintf("keys that start with %q can be listed", p.Storage.Prefix)
	}
	if p.firstKey == "" {
		evidence += "; there are none"
	}
	return check.OK(evidence)
}

// stops reports whether the list check makes later checks pointless.
// Without the right to list, reading and writing can still be checked.
// Without a bucket or valid credentials they cannot.
func (p *listingChecks) stops(c tasks.Check) bool {
	return check.IsFailure(c) && p.failure.Kind != providers.Denied
}

const maxCandidates = 20 // objects to choose from

// findKey lists the first objects with the storage's prefix, because
// policies may be limited to it. It prefers an object that has content
// and is not archived. If there are no objects, the key is empty.
func (p *listingChecks) findKey(ctx context.Context) (string, error) {
	in := p.Client.ListInput(providers.ListOptions{Prefix: p.Storage.Prefix})
	in.MaxKeys = aws.Int32(maxCandidates)
	page, err := p.Client.ListPage(ctx, in, fewAttempts)
	if err != nil {
		return "", err
	}

	first := ""
	for _, o := range page.Contents {
		key := aws.ToString(o.Key)
		if !strings.HasPrefix(key, p.Storage.Prefix) {
			continue // a directory bucket lists the whole directory
		}
		if aws.ToInt64(o.Size) > 0 && !isArchived(o) {
			return key, nil
		}
		if first == "" {
			first = key
		}
	}
	return first, nil
}

func isArchived(o types.Object) bool {
	return o.StorageClass == types.ObjectStorageClassGlacier ||
		o.StorageClass == types.ObjectStorageClassDeepArchive
}
