package s3

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// excess tries a few harmless calls that no job makes. Whoever may make them
// has been given more than the storage needs, AmazonS3FullAccess perhaps.
func (p *probe) excess(ctx context.Context) tasks.Check {
	if p.storage.Auth.Method == tasks.AuthAnonymous {
		return skipped(checkExcess, "anybody may do the same")
	}
	var allowed []string
	for _, attempt := range p.harmless() {
		if attempt.wanted && p.allows(ctx, attempt.do, attempt.empty) {
			allowed = append(allowed, attempt.what)
		}
	}
	if len(allowed) == 0 {
		return tasks.Check{ID: checkExcess, Status: tasks.CheckOK, Evidence: "nothing is allowed beyond what is needed, as far as harmless calls tell"}
	}
	return tasks.Check{
		ID: checkExcess, Status: tasks.CheckWarn, Code: "TooManyRights",
		Evidence: "more is allowed than the storage needs: " + strings.Join(allowed, ", "),
		Fix:      "Grant only " + policy.S3Identity(p.storage, p.uses()) + ".",
	}
}

// uses are those that were asked for, with the key that was seen.
func (p *probe) uses() policy.Uses {
	u := policy.UsesOf(p.need)
	if p.need.KMS {
		u.KMSKey = p.key.key
	}
	return u
}

type attempt struct {
	what   string
	wanted bool
	empty  string // the code that says: you may, but there is nothing
	do     func(context.Context, *sdk.Client) error
}

func (p *probe) harmless() []attempt {
	return []attempt{
		{
			fmt.Sprintf("to list keys outside %q", p.storage.Dir()), p.storage.Dir() != "", "",
			func(ctx context.Context, api *sdk.Client) error {
				_, err := api.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: p.name(), MaxKeys: aws.Int32(1)}, fewAttempts)
				return err
			},
		}, {
			"to read the bucket's policy (s3:GetBucketPolicy)", true, "NoSuchBucketPolicy",
			func(ctx context.Context, api *sdk.Client) error {
				_, err := api.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: p.name()}, fewAttempts)
				return err
			},
		}, {
			"to read the bucket's CORS (s3:GetBucketCORS)", true, "NoSuchCORSConfiguration",
			func(ctx context.Context, api *sdk.Client) error {
				_, err := api.GetBucketCors(ctx, &sdk.GetBucketCorsInput{Bucket: p.name()}, fewAttempts)
				return err
			},
		}, {
			"to list the account's buckets (s3:ListAllMyBuckets)", true, "",
			func(ctx context.Context, api *sdk.Client) error {
				_, err := api.ListBuckets(ctx, &sdk.ListBucketsInput{}, fewAttempts)
				return err
			},
		},
	}
}

// allows makes a call that may be refused. Only a plain yes counts.
func (p *probe) allows(ctx context.Context, do func(context.Context, *sdk.Client) error, empty string) bool {
	_, err := call(ctx, p.bucket, func(api *sdk.Client) (struct{}, error) { return struct{}{}, do(ctx, api) })
	if err == nil {
		return true
	}
	e := classify(err)
	return empty != "" && e.Code == empty && e.Kind == providers.NotFound
}
