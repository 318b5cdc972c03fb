package probe_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The policies that labelling tools tell their users to paste, copied
// exactly, and the policies of AWS that they name.
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
		{"Sid": "FastLabelS3KMSAccess", "Effect": "Allow", "Action": ["kms:Decrypt"],
		"Resource": ["arn:aws:kms:us-east-1:123456789012:key/0a1b"]}]}`
	readOnlyAccess = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Action": ["s3:Get*", "s3:List*"], "Resource": "*"}]}`
	fullAccess = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Action": ["s3:*"], "Resource": "*"}]}`
)

func TestPublishedPolicies(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	read := tasks.Need{Read: true, Versions: true}
	for name, c := range map[string]struct {
		policy string
		need   tasks.Need
		id     string // the one check that is not ok; empty means that all are
		status tasks.CheckStatus
	}{
		"Read":           {publishedRead, read, "", ""},
		"ReadToExport":   {publishedRead, tasks.Need{Read: true, Write: true}, "write", fail},
		"Export":         {publishedExport, enforceable(), "write", warn},
		"KMS":            {publishedKMS, read, "", ""},
		"ReadOnlyAccess": {readOnlyAccess, read, "rights", warn},
		"FullAccess":     {fullAccess, enforceable(), "rights", warn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s3test.RoleStorage(t, server, nil)
			s.Prefix = "" // the policies have none
			s.Auth.RoleARN = server.Role(t, servers.Role{
				Principals: []string{server.Root.AccessKeyID}, ExternalID: s3test.RoleExternalID,
				Policy: json.RawMessage(strings.ReplaceAll(c.policy, "{YOUR_BUCKET_NAME}", s.Bucket)),
			})
			for id, got := range s3test.Probe(t, s3test.OpenRole(t, server, s), c.need) {
				want := ok
				if id == c.id {
					want = c.status
				}
				if got.Status != want && (want != ok || !s3test.IsGood(got)) {
					t.Errorf("%+v, want %s", got, want)
				}
			}
		})
	}
}
