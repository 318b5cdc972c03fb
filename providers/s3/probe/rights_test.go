package probe_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// enforceable is all that the emulator can enforce: it has no KMS.
func enforceable() tasks.Need { return tasks.Need{Read: true, Write: true, Versions: true} }

// bucketWithPrefix makes a bucket with objects under the prefix "dir/"
// and outside. The returned bucket is open with all rights.
func bucketWithPrefix(t *testing.T, server servers.S3Server) (string, providers.Bucket) {
	t.Helper()
	bucket := server.Bucket(t)
	root := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
	for _, key := range []string{"dir/a.jpg", "dir/deep/b.jpg", "other/c.jpg"} {
		s3test.Put(t, root, key, key)
	}
	return bucket, root
}

// probeAs probes a storage as a user with an IAM policy.
func probeAs(
	t *testing.T, server servers.S3Server, s tasks.Storage, policy string, need tasks.Need,
) map[string]tasks.Check {
	t.Helper()
	user, secrets := s3test.Storage(t, server.Endpoint, s.Bucket, server.User(t, policy))
	user.Prefix = s.Prefix
	return s3test.Probe(t, s3test.Open(t, &s3.Opener{}, user, secrets), need)
}

// The generated policy passes every check, and grants nothing in
// excess.
func TestGeneratedPolicyIsEnough(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	for _, prefix := range []string{"", "dir/", "dir/a", "none/"} {
		bucket, _ := bucketWithPrefix(t, server)
		s := tasks.Storage{Provider: "s3", Bucket: bucket, Prefix: prefix}
		document := policy.S3Identity(s, policy.UsesOf(enforceable()))
		for _, c := range probeAs(t, server, s, document, enforceable()) {
			if !s3test.IsGood(c) && c.ID != "credentials" {
				t.Errorf("prefix %q: %+v", prefix, c)
			}
		}
	}
}

// If one action is missing in the generated policy, exactly one check
// reports it, and its fix names the action.
func TestMissingActionIsNamed(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	for action, check := range map[string]string{
		"s3:ListBucket":           "list",
		"s3:GetObject":            "read",
		"s3:PutObject":            "write",
		"s3:AbortMultipartUpload": "write",
		"s3:ListBucketVersions":   "versions",
	} {
		for _, prefix := range []string{"", "dir/"} {
			bucket, _ := bucketWithPrefix(t, server)
			s := tasks.Storage{Provider: "s3", Bucket: bucket, Prefix: prefix}
			full := policy.S3Identity(s, policy.UsesOf(enforceable()))
			reports := 0
			for _, c := range probeAs(t, server, s, withoutAction(t, full, action), enforceable()) {
				if c.Status != fail && c.Status != warn || s3test.IsGood(c) {
					continue
				}
				reports++
				if c.ID != check || !strings.Contains(c.Fix, action+" on arn:aws:s3:::"+bucket) {
					t.Errorf("without %s: %+v", action, c)
				}
			}
			if reports != 1 {
				t.Errorf("without %s, %d checks report it", action, reports)
			}
		}
	}
}

// withoutAction removes an action from a policy.
func withoutAction(t *testing.T, document, action string) string {
	t.Helper()
	var d struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatal(err)
	}
	for _, st := range d.Statement {
		isAction := func(a any) bool { return a == action }
		st["Action"] = slices.DeleteFunc(st["Action"].([]any), isAction)
	}
	isEmpty := func(st map[string]any) bool { return len(st["Action"].([]any)) == 0 }
	d.Statement = slices.DeleteFunc(d.Statement, isEmpty)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A probe changes nothing in the bucket, whatever rights the user has.
func TestProbeChangesNothing(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	actions := []string{
		"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:ListBucketVersions",
		"s3:AbortMultipartUpload", "s3:DeleteObject",
	}
	bucket, root := bucketWithPrefix(t, server)
	s := tasks.Storage{Bucket: bucket, Prefix: "dir/"}
	before := contents(t, root)
	for subset := 1; subset < 1<<len(actions); subset++ {
		var granted []string
		for i, a := range actions {
			if subset>>i&1 == 1 {
				granted = append(granted, fmt.Sprintf("%q", a))
			}
		}
		document := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", `+
			`"Action": [%s], "Resource": ["arn:aws:s3:::%[2]s", "arn:aws:s3:::%[2]s/*"]}]}`,
			strings.Join(granted, ", "), bucket)
		probeAs(t, server, s, document, s3test.AllNeeds())
		if after := contents(t, root); after != before {
			t.Errorf("with %s: before\n%safter\n%s", granted, before, after)
		}
		if n := server.OpenUploads(t, bucket); n != 0 {
			t.Errorf("with %s: %d uploads left open", granted, n)
		}
	}
}

// contents returns all that a listing shows of a bucket, one object a
// line.
func contents(t *testing.T, b providers.Bucket) string {
	t.Helper()
	var text strings.Builder
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s %d %s %s\n", o.Key, o.Size, o.ETag, o.ModTime)
	}
	return text.String()
}
