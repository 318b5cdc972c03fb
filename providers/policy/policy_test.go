package policy_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const key = "arn:aws:kms:ap-northeast-1:123456789012:key/0a1b"

func all() policy.Uses {
	return policy.Uses{
		Read: true, Write: true, Versions: true, KMSKey: key, CORS: &tasks.CORS{Origin: "https://app.example"},
		TrustAccount: "595343846762", ExternalID: "ws-1",
	}
}

// write calls the function of the storage's provider, as programs do.
func write(s tasks.Storage, u policy.Uses) ([]policy.Section, error) {
	switch s.Provider {
	case "s3":
		return policy.S3(s, u)
	case "gcs":
		return policy.GCS(s, u)
	case "azure":
		return policy.Azure(s, u)
	}
	return nil, errors.New("no such provider")
}

func texts(t *testing.T, s tasks.Storage, u policy.Uses) string {
	t.Helper()
	sections, err := write(s, u)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, section := range sections {
		text.WriteString("# " + section.Title + "\n" + section.Text + "\n")
	}
	return text.String()
}

// Every use adds the rights that it needs, and only it adds them.
func TestEachUseBringsItsRights(t *testing.T) {
	t.Parallel()
	s3 := tasks.Storage{Provider: "s3", Bucket: "pictures", Prefix: "cats/im", Region: "ap-northeast-1"}
	gcs := tasks.Storage{Provider: "gcs", Bucket: "pictures", Prefix: "cats/", Project: "p-1"}
	azure := tasks.Storage{Provider: "azure", Bucket: "pictures", Account: "acct"}
	for _, c := range []struct {
		storage tasks.Storage
		use     func(*policy.Uses)
		words   string
	}{
		{s3, func(u *policy.Uses) { u.Read = false }, `"s3:GetObject"`},
		{s3, func(u *policy.Uses) { u.Write = false }, `"s3:PutObject"`},
		{s3, func(u *policy.Uses) { u.Write = false }, `"s3:AbortMultipartUpload"`},
		{s3, func(u *policy.Uses) { u.Write = false }, `"kms:GenerateDataKey"`},
		{s3, func(u *policy.Uses) { u.Versions = false }, `"s3:ListBucketVersions"`},
		{s3, func(u *policy.Uses) { u.KMSKey = "" }, `"kms:Decrypt"`},
		{s3, func(u *policy.Uses) { u.KMSKey = "" }, `"kms:ViaService": "s3.ap-northeast-1.amazonaws.com"`},
		{s3, func(u *policy.Uses) { u.CORS = nil }, `"AllowedOrigins": [`},
		{s3, func(u *policy.Uses) { u.TrustAccount, u.ExternalID = "", "" }, `"sts:ExternalId": "ws-1"`},
		{s3, func(u *policy.Uses) { u.TrustAccount, u.ExternalID = "", "" }, `"AWS": "arn:aws:iam::595343846762:root"`},
		{gcs, func(u *policy.Uses) { u.Read = false }, `"storage.objects.get"`},
		{gcs, func(u *policy.Uses) { u.Write = false }, `"storage.objects.create"`},
		{gcs, func(u *policy.Uses) { u.Write = false }, `"storage.objects.delete"`},
		{gcs, func(u *policy.Uses) { u.KMSKey = "" }, "--authorize-cmek=" + key},
		{gcs, func(u *policy.Uses) { u.CORS = nil }, "--cors-file=cors.json"},
		{azure, func(u *policy.Uses) { u.Read = false }, "--permissions rcwl "},
		{azure, func(u *policy.Uses) { u.Write = false }, "--permissions rcwl "},
		{azure, func(u *policy.Uses) { u.CORS = nil }, "az storage cors add --account-name acct --services b --origins https://app.example --methods GET HEAD"},
	} {
		if text := texts(t, c.storage, all()); !strings.Contains(text, c.words) {
			t.Errorf("no %s in\n%s", c.words, text)
		}
		u := all()
		c.use(&u)
		if text := texts(t, c.storage, u); strings.Contains(text, c.words) {
			t.Errorf("not asked for: %s in\n%s", c.words, text)
		}
	}
}

func TestPrefixes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ prefix, region, listed, objects string }{
		{"", "", "", "arn:aws:s3:::pictures/*"},
		{"im", "", "", "arn:aws:s3:::pictures/*"},
		{"cats/im", "", "cats/*", "arn:aws:s3:::pictures/cats/*"},
		{"a*b?$c/", "cn-north-1", "a${*}b${?}${$}c/*", "arn:aws-cn:s3:::pictures/a${*}b${?}${$}c/*"},
	} {
		s := tasks.Storage{Provider: "s3", Bucket: "pictures", Prefix: c.prefix, Region: c.region}
		var d struct {
			Statement []struct {
				Resource  []string
				Condition map[string]map[string]string
			}
		}
		if err := json.Unmarshal([]byte(policy.S3Identity(s, policy.Uses{Read: true})), &d); err != nil {
			t.Fatal(err)
		}
		if got := d.Statement[0].Condition["StringLike"]["s3:prefix"]; got != c.listed || d.Statement[1].Resource[0] != c.objects {
			t.Errorf("%q: got %+v", c.prefix, d)
		}
	}
}

// The rights on an access point are those on its own ARN, and on the
// objects behind it.
func TestAccessPoint(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/photos"
	s := tasks.Storage{Provider: "s3", Bucket: arn, Prefix: "dir/"}
	text := policy.S3Identity(s, policy.Uses{Read: true})
	for _, part := range []string{`"Resource":["` + arn + `"]`, `"Resource":["` + arn + `/object/dir/*"]`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	s3 := tasks.Storage{Provider: "s3", Bucket: "b"}
	for name, c := range map[string]struct {
		storage tasks.Storage
		uses    policy.Uses
	}{
		"no ARN":          {s3, policy.Uses{KMSKey: "my-key"}},
		"no account":      {s3, policy.Uses{TrustAccount: "me", ExternalID: "x"}},
		"no external ID":  {s3, policy.Uses{TrustAccount: "123456789012"}},
		"nobody to trust": {s3, policy.Uses{ExternalID: "x"}},
	} {
		if sections, err := write(c.storage, c.uses); err == nil {
			t.Errorf("%s: got %+v", name, sections)
		}
	}
}

// A shell runs every command as it is meant, with any names in it.
func TestCommandsAreShell(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal("no shell")
	}
	for _, s := range []tasks.Storage{
		{Provider: "gcs", Bucket: "b", Prefix: `it's "$(touch /tmp/x)"/`, Auth: tasks.Auth{ServiceAccount: "a'b@c"}},
		{Provider: "azure", Bucket: "b$(id)", Account: "a`id`"},
		{Provider: "azure", Bucket: "b", Account: "acct", Auth: tasks.Auth{Method: tasks.AuthServicePrincipal, ClientID: "c; id"}},
	} {
		sections, err := write(s, all())
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range sections {
			if section.Text[0] == '{' || section.Text[0] == '[' {
				continue
			}
			// A command starts no other programs than date, and az to
			// find an ID.
			program := "gcloud() { printf '%s\\n' \"$@\"; }; az() { gcloud \"$@\"; }; id() { echo RAN; }; touch() { echo RAN; }; date() { echo 2030; }\n"
			out, err := exec.Command(shell, "-c", program+section.Text).CombinedOutput()
			if err != nil || strings.Contains(string(out), "RAN") {
				t.Errorf("%s: %v: %s", section.Text, err, out)
			}
		}
	}
}
