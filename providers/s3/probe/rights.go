package probe

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// rightsCheck checks that the credentials allow no more than is needed.
type rightsCheck struct {
	Target
	need    tasks.Need
	reading *readChecks // knows the KMS key
}

// run makes a few harmless calls that no job makes. Credentials that
// allow them have more rights than the storage needs, such as
// AmazonS3FullAccess.
func (p rightsCheck) run(ctx context.Context) tasks.Check {
	if p.Storage.Auth.Method == tasks.AuthAnonymous {
		return check.Skip("without credentials, everybody has these rights")
	}
	var allowed []string
	for _, r := range p.excessRights() {
		if p.has(ctx, r) {
			allowed = append(allowed, r.name)
		}
	}
	if len(allowed) == 0 {
		return check.OK("nothing is allowed beyond what is needed, as far as harmless calls show")
	}
	return check.Warn("TooManyRights",
		"more is allowed than the storage needs: "+strings.Join(allowed, ", "),
		"Grant only "+policy.S3Identity(p.Storage, p.uses())+".")
}

// uses returns what the policy in the advice must allow.
func (p rightsCheck) uses() policy.Uses {
	u := policy.UsesOf(p.need)
	if p.need.KMS {
		u.KMSKey = p.reading.encryption.keyARN
	}
	return u
}

// excessRight is a right that no job needs, and a call that shows it.
type excessRight struct {
	name string
	// emptyCode is the error code of a call that is allowed but finds
	// nothing. It may be empty.
	emptyCode string
	call      func(context.Context, *sdk.Client) error
}

func (p rightsCheck) excessRights() []excessRight {
	rights := []excessRight{
		{"to read the bucket's policy (s3:GetBucketPolicy)", "NoSuchBucketPolicy", p.getPolicy},
		{"to read the bucket's CORS (s3:GetBucketCORS)", "NoSuchCORSConfiguration", p.getCORS},
		{"to list the account's buckets (s3:ListAllMyBuckets)", "", p.listBuckets},
	}
	if dir := p.Storage.Dir(); dir != "" {
		outside := excessRight{fmt.Sprintf("to list keys outside %q", dir), "", p.listAll}
		return append([]excessRight{outside}, rights...)
	}
	return rights
}

// has reports whether the credentials have a right. A call that fails
// for any other reason than emptyCode counts as refused.
func (p rightsCheck) has(ctx context.Context, r excessRight) bool {
	_, err := client.Call(ctx, p.Client, func(api *sdk.Client) (struct{}, error) {
		return struct{}{}, r.call(ctx, api)
	})
	if err == nil {
		return true
	}
	e := s3error.Classify(err)
	return r.emptyCode != "" && e.Code == r.emptyCode && e.Kind == providers.NotFound
}

func (p rightsCheck) listAll(ctx context.Context, api *sdk.Client) error {
	in := &sdk.ListObjectsV2Input{Bucket: p.Client.Bucket(), MaxKeys: aws.Int32(1)}
	_, err := api.ListObjectsV2(ctx, in, fewAttempts)
	return err
}

func (p rightsCheck) getPolicy(ctx context.Context, api *sdk.Client) error {
	in := &sdk.GetBucketPolicyInput{Bucket: p.Client.Bucket()}
	_, err := api.GetBucketPolicy(ctx, in, fewAttempts)
	return err
}

func (p rightsCheck) getCORS(ctx context.Context, api *sdk.Client) error {
	in := &sdk.GetBucketCorsInput{Bucket: p.Client.Bucket()}
	_, err := api.GetBucketCors(ctx, in, fewAttempts)
	return err
}

func (p rightsCheck) listBuckets(ctx context.Context, api *sdk.Client) error {
	_, err := api.ListBuckets(ctx, &sdk.ListBucketsInput{}, fewAttempts)
	return err
}
