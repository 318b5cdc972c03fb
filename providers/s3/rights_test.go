package s3_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// allUses is everything that versitygw can enforce: it knows no KMS.
func allUses() (tasks.Need, policy.Uses) {
	need := tasks.Need{Read: true, Write: true, Versions: true}
	return need, policy.UsesOf(need)
}

// filled makes a bucket with a few objects in and beside the prefix.
func filled(t *testing.T, server providertest.S3Server) (string, providers.Bucket) {
	t.Helper()
	bucket := server.Bucket(t)
	root := open(t, server.Endpoint, bucket, server.Root)
	for _, key := range []string{"dir/a.jpg", "dir/deep/b.jpg", "other/c.jpg"} {
		if _, err := root.Put(t.Context(), key, strings.NewReader(key), providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return bucket, root
}

// The policy that is generated is enough for every check, and nothing in it
// is too much.
func TestGeneratedPolicyIsEnough(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	for _, prefix := range []string{"", "dir/", "dir/a", "none/"} {
		bucket, _ := filled(t, server)
		need, uses := allUses()
		s := tasks.Storage{Provider: "s3", Bucket: bucket, Prefix: prefix}
		checks := probeAs(t, server, s, policy.S3Identity(s, uses), need)
		for _, c := range checks {
			if c.Status != tasks.CheckOK && c.ID != "credentials" {
				t.Errorf("prefix %q: %+v", prefix, c)
			}
		}
	}
}

// Without any one of its actions exactly one check says so, and names the
// action.
func TestEachActionIsMissed(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	for action, check := range map[string]string{
		"s3:ListBucket": "list", "s3:GetObject": "read", "s3:PutObject": "write", "s3:AbortMultipartUpload": "write", "s3:ListBucketVersions": "versions",
	} {
		for _, prefix := range []string{"", "dir/"} {
			bucket, _ := filled(t, server)
			need, uses := allUses()
			s := tasks.Storage{Provider: "s3", Bucket: bucket, Prefix: prefix}
			named := 0
			for _, c := range probeAs(t, server, s, without(t, policy.S3Identity(s, uses), action), need) {
				if c.Status != tasks.CheckFail && c.Status != tasks.CheckWarn {
					continue
				}
				if named++; c.ID != check || !strings.Contains(c.Fix, action+" on arn:aws:s3:::"+bucket) {
					t.Errorf("without %s: %+v", action, c)
				}
			}
			if named != 1 {
				t.Errorf("without %s, %d checks complain", action, named)
			}
		}
	}
}

// without takes an action out of a policy.
func without(t *testing.T, document, action string) string {
	t.Helper()
	var d struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatal(err)
	}
	for _, st := range d.Statement {
		st["Action"] = slices.DeleteFunc(st["Action"].([]any), func(a any) bool { return a == action })
	}
	d.Statement = slices.DeleteFunc(d.Statement, func(st map[string]any) bool { return len(st["Action"].([]any)) == 0 })
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func probeAs(t *testing.T, server providertest.S3Server, s tasks.Storage, document string, need tasks.Need) map[string]tasks.Check {
	t.Helper()
	as, secrets := storage(t, server.Endpoint, s.Bucket, server.User(t, document))
	as.Prefix = s.Prefix
	return checksOf(t, openStorage(t, as, secrets), need)
}

// Whatever a user may do, a probe changes nothing.
func TestProbeChangesNothing(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	actions := []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:ListBucketVersions", "s3:AbortMultipartUpload", "s3:DeleteObject"}
	bucket, root := filled(t, server)
	before := snapshot(t, root)
	for subset := 1; subset < 1<<len(actions); subset++ {
		var granted []string
		for i, a := range actions {
			if subset>>i&1 == 1 {
				granted = append(granted, fmt.Sprintf("%q", a))
			}
		}
		document := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [%s], "Resource": ["arn:aws:s3:::%[2]s", "arn:aws:s3:::%[2]s/*"]}]}`,
			strings.Join(granted, ", "), bucket)
		probeAs(t, server, tasks.Storage{Bucket: bucket, Prefix: "dir/"}, document, everything())
		if after := snapshot(t, root); after != before {
			t.Errorf("with %s: before\n%safter\n%s", granted, before, after)
		}
		if n := server.OpenUploads(t, bucket); n != 0 {
			t.Errorf("with %s: %d uploads left open", granted, n)
		}
	}
}

// snapshot is all that can be seen of a bucket's content.
func snapshot(t *testing.T, b providers.Bucket) string {
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
