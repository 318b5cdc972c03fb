package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// firstObject is an object to read a byte of, and how the listing that should
// find it went.
type firstObject struct {
	key string // empty when there is none
	err error  // classified
}

// region makes the listing, whose answer tells the region, and leaves all
// that is not about the region to list.
func (p *probe) region(ctx context.Context) tasks.Check {
	key, err := p.firstKey(ctx)
	p.first = firstObject{key, p.fail("list", "", err)}
	if e := (*providers.Error)(nil); errors.As(p.first.err, &e) && isRegionFault(e) {
		p.hopeless = "the bucket's region is not known"
		return p.check(checkRegion, e, "")
	}
	api := p.client.Load()
	switch {
	case api == nil:
		return skipped(checkRegion, "no answer told it")
	case p.options.Region != "" && api.Options().Region != p.options.Region:
		return tasks.Check{
			ID: checkRegion, Status: tasks.CheckWarn, Code: "WrongRegion",
			Evidence: fmt.Sprintf("the bucket is in %s, not in %s; requests go there all the same", api.Options().Region, p.options.Region),
			Fix:      fmt.Sprintf("Set the storage's region to %s: every worker first asks in the wrong one.", api.Options().Region),
		}
	case p.first.err != nil && providers.KindOf(p.first.err) != providers.Denied:
		return skipped(checkRegion, "no answer told it")
	case p.storage.Region == "" && p.storage.Endpoint == "":
		return tasks.Check{ID: checkRegion, Status: tasks.CheckOK, Evidence: "found: " + api.Options().Region}
	}
	return tasks.Check{ID: checkRegion, Status: tasks.CheckOK, Evidence: api.Options().Region}
}

func isRegionFault(e *providers.Error) bool {
	switch e.Code {
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
		return true
	}
	return e.Fix == giveRegion
}

// list judges the listing. Without the right to list, reading and writing can
// still be told; without a server or a user they cannot.
func (p *probe) list(context.Context) tasks.Check {
	err := p.first.err
	if err != nil && providers.KindOf(err) != providers.Denied {
		p.hopeless = "the bucket could not be listed"
	}
	evidence := "the bucket can be listed"
	if p.storage.Prefix != "" {
		evidence = fmt.Sprintf("keys that start with %q can be listed", p.storage.Prefix)
	}
	if err == nil && p.first.key == "" {
		evidence += "; there are none"
	}
	c := p.check(checkList, err, evidence)
	p.listed = c.Status
	return c
}

const firstPage = 20 // objects to choose from

// firstKey lists a little with the storage's prefix, because policies may be
// limited to it. It prefers an object that has content and is not archived,
// and is empty when there is none at all.
func (b *bucket) firstKey(ctx context.Context) (key string, err error) {
	in := b.listInput(providers.ListOptions{Prefix: b.storage.Prefix})
	in.MaxKeys = aws.Int32(firstPage)
	out, err := b.listPage(ctx, in, fewAttempts)
	if err != nil {
		return "", err
	}
	for _, o := range out.Contents {
		name, err := keyOf(out, o)
		if err != nil {
			return "", err
		}
		good := aws.ToInt64(o.Size) > 0 && !archived(o)
		if key == "" || good {
			key = name
		}
		if good {
			break
		}
	}
	return key, nil
}

func archived(o types.Object) bool {
	return o.StorageClass == types.ObjectStorageClassGlacier || o.StorageClass == types.ObjectStorageClassDeepArchive
}
