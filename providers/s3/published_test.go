package s3_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The policies that labelling tools tell their users to paste, to the letter,
// and AWS's own that they name.
const (
	publishedRead = `{"Version": "2012-10-17", "Statement": [{"Sid": "FastLabelS3Access", "Effect": "Allow",
		"Action": ["s3:GetObject", "s3:ListBucketVersions", "s3:ListBucket"],
		"Resource": ["arn:aws:s3:::{YOUR_BUCKET_NAME}/*", "arn:aws:s3:::{YOUR_BUCKET_NAME}"]}]}`
	publishedExport = `{"Version": "2012-10-17", "Statement": [{"Sid": "FastLabelS3Access", "Effect": "Allow",
		"Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucketVersions", "s3:ListBucket"],
		"Resource": ["arn:aws:s3:::{YOUR_BUCKET_NAME}/*", "arn:aws:s3:::{YOUR_BUCKET_NAME}"]}]}`
	publishedKMS = `{"Version": "2012-10-17", "Statement": [{"Sid": "FastLabelS3Access", "Effect": "Allow",
		"Action": ["s3:GetObject", "s3:ListBucketVersions", "s3:ListBucket"],
		"Resource": ["arn:aws:s3:::{YOUR_BUCKET_NAME}/*", "arn:aws:s3:::{YOUR_BUCKET_NAME}"]},
		{"Sid": "FastLabelS3KMSAccess", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": ["arn:aws:kms:us-east-1:123456789012:key/0a1b"]}]}`
	readOnlyAccess = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}]}`
	fullAccess     = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}]}`
)

func TestPublishedPolicies(t *testing.T) {
	t.Parallel()
	server := providertest.STS(t)
	const ok, warn, fail = tasks.CheckOK, tasks.CheckWarn, tasks.CheckFail
	for _, c := range []struct {
		name, document string
		need           tasks.Need
		want           map[string]tasks.CheckStatus // all others are ok
	}{
		{"Read", publishedRead, tasks.Need{Read: true, Versions: true}, nil},
		{"ReadToExport", publishedRead, tasks.Need{Read: true, Write: true}, map[string]tasks.CheckStatus{"write": fail}},
		{"Export", publishedExport, tasks.Need{Read: true, Write: true, Versions: true}, map[string]tasks.CheckStatus{"write": warn}},
		{"KMS", publishedKMS, tasks.Need{Read: true, Versions: true}, nil},
		{"ReadOnlyAccess", readOnlyAccess, tasks.Need{Read: true, Versions: true}, map[string]tasks.CheckStatus{"rights": warn}},
		{"FullAccess", fullAccess, tasks.Need{Read: true, Write: true, Versions: true}, map[string]tasks.CheckStatus{"rights": warn}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := roleOn(t, server, nil)
			s.Prefix = "" // the documents know none
			s.Auth.RoleARN = server.Role(t, providertest.Role{
				Principals: []string{server.Root.AccessKeyID}, ExternalID: externalID,
				Policy: json.RawMessage(strings.ReplaceAll(c.document, "{YOUR_BUCKET_NAME}", s.Bucket)),
			})
			for id, check := range checksOf(t, openRole(t, server, s), c.need) {
				want := ok
				if status, other := c.want[id]; other {
					want = status
				}
				if check.Status != want {
					t.Errorf("%+v, want %s", check, want)
				}
			}
		})
	}
}
