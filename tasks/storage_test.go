package tasks_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestAuthMethods(t *testing.T) {
	t.Parallel()
	secret := ref(t, "env:SECRET")
	const none = "empty: give a reference, env:NAME or file:/path"
	for name, c := range map[string]struct {
		storage tasks.Storage // its bucket is filled in
		want    []string
	}{
		"s3 access key": {storage: tasks.Storage{Provider: "s3", Auth: tasks.Auth{Method: "access-key", AccessKeyID: "A", SecretAccessKey: secret, SessionToken: secret}}},
		"s3 access key empty": {tasks.Storage{Provider: "s3", Auth: tasks.Auth{Method: "access-key"}},
			[]string{"storage.auth.access_key_id: empty", "storage.auth.secret_access_key: " + none}},
		"s3 role":          {storage: tasks.Storage{Provider: "s3", Region: "r", Auth: tasks.Auth{Method: "assume-role", RoleARN: "a", ExternalID: "e"}}},
		"s3 role empty":    {tasks.Storage{Provider: "s3", Auth: tasks.Auth{Method: "assume-role"}}, []string{"storage.auth.role_arn: empty", "storage.auth.external_id: empty: give the one that the role's trust policy asks for, or no_external_id if it asks for none"}},
		"s3 anonymous":     {storage: tasks.Storage{Provider: "s3", Auth: tasks.Auth{Method: "anonymous"}}},
		"s3 none":          {tasks.Storage{Provider: "s3"}, []string{`storage.auth.method: "" is none of s3's access-key, assume-role, worker-identity, anonymous`}},
		"s3 with a SAS":    {tasks.Storage{Provider: "s3", Auth: tasks.Auth{Method: "sas", SASToken: secret}}, []string{`storage.auth.method: "sas" is none of s3's access-key, assume-role, worker-identity, anonymous`}},
		"s3 public + key":  {tasks.Storage{Provider: "s3", Auth: tasks.Auth{Method: "anonymous", AccessKeyID: "A"}}, []string{`storage.auth.access_key_id: not used by method "anonymous"`}},
		"s3 role + token":  {tasks.Storage{Provider: "s3", Auth: tasks.Auth{Method: "assume-role", RoleARN: "a", ExternalID: "e", SessionToken: secret}}, []string{`storage.auth.session_token: not used by method "assume-role"`}},
		"gcs key file":     {storage: tasks.Storage{Provider: "gcs", Project: "p", Location: "l", Auth: tasks.Auth{Method: "key-file", KeyFile: secret}}},
		"gcs key missing":  {tasks.Storage{Provider: "gcs", Auth: tasks.Auth{Method: "key-file"}}, []string{"storage.auth.key_file: " + none}},
		"gcs identity":     {storage: tasks.Storage{Provider: "gcs", Auth: tasks.Auth{Method: "worker-identity"}}},
		"gcs anonymous":    {storage: tasks.Storage{Provider: "gcs", Auth: tasks.Auth{Method: "anonymous"}}},
		"gcs in a region":  {tasks.Storage{Provider: "gcs", Region: "r", Auth: tasks.Auth{Method: "anonymous"}}, []string{"storage.region: only for provider s3"}},
		"azure SAS":        {storage: tasks.Storage{Provider: "azure", Account: "a", Auth: tasks.Auth{Method: "sas", SASToken: secret}}},
		"azure SAS empty":  {tasks.Storage{Provider: "azure", Auth: tasks.Auth{Method: "sas"}}, []string{"storage.account: empty", "storage.auth.sas_token: " + none}},
		"azure string":     {storage: tasks.Storage{Provider: "azure", Auth: tasks.Auth{Method: "connection-string", ConnectionString: secret}}},
		"azure no string":  {tasks.Storage{Provider: "azure", Auth: tasks.Auth{Method: "connection-string"}}, []string{"storage.auth.connection_string: " + none}},
		"azure public":     {storage: tasks.Storage{Provider: "azure", Account: "a", Auth: tasks.Auth{Method: "anonymous"}}},
		"azure account":    {tasks.Storage{Provider: "azure", Auth: tasks.Auth{Method: "anonymous"}}, []string{"storage.account: empty"}},
		"mem":              {storage: tasks.Storage{Provider: "mem"}},
		"mem with a role":  {tasks.Storage{Provider: "mem", Auth: tasks.Auth{Method: "assume-role", RoleARN: "a", ExternalID: "e"}}, []string{`storage.auth.method: "assume-role" is none of mem's `}},
		"mem with a key":   {tasks.Storage{Provider: "mem", Auth: tasks.Auth{AccessKeyID: "A", SessionToken: secret}}, []string{`storage.auth.access_key_id: not used by method ""`, `storage.auth.session_token: not used by method ""`}},
		"mem with a URL":   {tasks.Storage{Provider: "mem", Endpoint: "https://x"}, []string{"storage.endpoint: not used by provider mem"}},
		"no such provider": {tasks.Storage{Provider: "S3", Auth: tasks.Auth{Method: "anonymous"}}, []string{`storage.provider: "S3" is none of ` + providerNames(false) + "; did you mean s3?"}},
		"misspelt method":  {tasks.Storage{Provider: "azure", Account: "a", Auth: tasks.Auth{Method: "accountkey"}}, []string{`storage.auth.method: "accountkey" is none of azure's sas, account-key, connection-string, service-principal, worker-identity, anonymous; did you mean account-key?`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.storage.Bucket = "b"
			wantFaults(t, tasks.VerifyConnection{Storage: c.storage}, c.want...)
		})
	}
}

// Mistakes in region and bucket that no request could show by name.
func TestS3RegionAndBucket(t *testing.T) {
	t.Parallel()
	const accessPoint = "arn:aws:s3:us-west-2:123456789012:accesspoint/photos"
	for _, c := range []struct {
		bucket, region, addressing string
		want                       []string
	}{
		{"b", "us-east-1", "", nil},
		{"b", "RegionOne", "path", nil},
		{"b", "garage", "", nil},
		{"b", "us-east-1 ", "", []string{`storage.region: "us-east-1 " has white space around it`}},
		{"b", "US East (Ohio)", "", []string{`storage.region: "US East (Ohio)" is not the code of a region, such as us-east-2`}},
		{"b", "-x", "", []string{`storage.region: "-x" is not the code of a region, such as us-east-2`}},
		{"arn:aws:s3:::photos", "", "", []string{"storage.bucket: is the ARN of a bucket: give its name alone, photos"}},
		{"arn:aws-cn:s3:::photos/dir/*", "", "", []string{"storage.bucket: is the ARN of a bucket: give its name alone, photos"}},
		{"arn:aws:iam::123456789012:role/x", "", "", []string{"storage.bucket: is an ARN, but not that of an access point of S3"}},
		{accessPoint, "", "", nil},
		{accessPoint, "eu-west-1", "virtual", nil},
		{accessPoint, "", "path", []string{"storage.addressing: must not be path for the ARN of an access point"}},
		{"arn:aws:s3:us-west-2:123456789012:accesspoint:photos", "", "", nil},
		{"arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", "", "", nil},
		{"arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/photos", "", "", nil},
		{"arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01/accesspoint/photos", "", "", nil},
		{"photos-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", "", "", nil},
	} {
		wantFaults(t, tasks.VerifyConnection{Storage: tasks.Storage{
			Provider: "s3", Bucket: c.bucket, Region: c.region, Addressing: c.addressing,
			Auth: tasks.Auth{Method: "anonymous"},
		}}, c.want...)
	}
}

// A storage of a provider that another module defines is checked for
// what all buckets have in common.
func TestForeignProviders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		storage tasks.Storage
		want    string
	}{
		"any fields": {tasks.Storage{
			Provider: "x-zip", Bucket: "dir/photos.zip", Prefix: "a/", Region: "r", Account: "a", Endpoint: "https://h/p", RequesterPays: true,
			Auth: tasks.Auth{Method: "password", AccessKeyID: "me", ClientSecret: ref(t, "env:PASSWORD")},
		}, ""},
		"no method":    {tasks.Storage{Provider: "x-zip", Bucket: "b"}, ""},
		"no name":      {tasks.Storage{Provider: "x-", Bucket: "b"}, `"x-" is none of`},
		"capitals":     {tasks.Storage{Provider: "x-Zip", Bucket: "b"}, `"x-Zip" is none of`},
		"no bucket":    {tasks.Storage{Provider: "x-zip"}, "bucket: empty"},
		"URL":          {tasks.Storage{Provider: "x-zip", Bucket: "https://h/b?sig=" + canary}, "bucket: is a URL"},
		"line break":   {tasks.Storage{Provider: "x-zip", Bucket: "a\nb"}, "bucket: has a character"},
		"prefix":       {tasks.Storage{Provider: "x-zip", Bucket: "b", Prefix: "a//"}, "prefix: has an empty"},
		"endpoint":     {tasks.Storage{Provider: "x-zip", Bucket: "b", Endpoint: "https://u:" + canary + "@h"}, "endpoint: must not hold a user"},
		"plain secret": {tasks.Storage{Provider: "x-zip", Bucket: "b", Auth: plainAuth(t)}, "auth.sas_token: must be a reference"},
	} {
		err := c.storage.Validate()
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) || strings.Contains(fmt.Sprint(err), canary) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// plainAuth holds a secret that was given as a value in JSON.
func plainAuth(t *testing.T) (a tasks.Auth) {
	t.Helper()
	if err := json.Unmarshal([]byte(`{"sas_token":"`+canary+`"}`), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// The lists come from the table of providers.
func TestProviders(t *testing.T) {
	t.Parallel()
	first := []string{"s3", "gcs", "azure", "file"}
	if slices.Contains(tasks.Providers(), "mem") {
		t.Error("users are told of the provider for tests")
	}
	if got := tasks.Providers(); !slices.Equal(got[:min(len(got), len(first))], first) {
		t.Errorf("providers are %q, want %q first", got, first)
	}
	want := []string{"sas", "account-key", "connection-string", "service-principal", "worker-identity", "anonymous"}
	if got := tasks.AuthMethods("azure"); !slices.Equal(got, want) {
		t.Errorf("the methods of azure are %q, want %q", got, want)
	}
	if got := tasks.AuthMethods("x-zip"); len(got) != 0 {
		t.Errorf("the methods of x-zip are %q", got)
	}
}

func TestBucketsAndEndpoints(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ provider, bucket, endpoint, want string }{
		"name":              {"s3", "my-bucket.1", "", ""},
		"Azure's own":       {"s3", "$root", "", ""},
		"longest":           {"s3", strings.Repeat("b", 222), "", ""},
		"too long":          {"s3", strings.Repeat("b", 223), "", "bucket: longer than 222"},
		"with a key":        {"s3", "b/" + canary, "", "bucket: has a character"},
		"signed":            {"s3", "b?sig=" + canary, "", "bucket: has a character"},
		"SAS URL":           {"s3", "https://a.blob.core.windows.net/b?sig=" + canary, "", "bucket: is a URL"},
		"space":             {"s3", "b ", "", "bucket: has a character"},
		"directory":         {"file", "/srv/images", "", ""},
		"relative":          {"file", "images", "", "not an absolute directory"},
		"server":            {"s3", "b", "http://127.0.0.1:9000/s3", ""},
		"no scheme":         {"s3", "b", "minio:9000", "endpoint: must be http"},
		"no host":           {"s3", "b", "https://:9000", "endpoint: must be http"},
		"password":          {"s3", "b", "https://u:" + canary + "@h", "endpoint: must not hold a user"},
		"query":             {"s3", "b", "https://h?sig=" + canary, "endpoint: must not hold"},
		"fragment":          {"s3", "b", "https://h#" + canary, "endpoint: must not hold"},
		"broken, with a PW": {"s3", "b", "https://u:" + canary + "@h:x%zz", "endpoint: not a URL"},
	} {
		s := tasks.Storage{Provider: c.provider, Bucket: c.bucket, Endpoint: c.endpoint}
		if c.provider == "s3" {
			s.Auth.Method = tasks.AuthAnonymous
		}
		err := tasks.VerifyConnection{Storage: s}.Validate()
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the fault repeats a text that may be a secret: %v", name, err)
		}
	}
}

func TestDirectoryOfAPrefix(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{"": "", "im": "", "cats/": "cats/", "cats/im": "cats/", "a/b/c": "a/b/", "猫/": "猫/"} {
		if got := mem(prefix).Dir(); got != want {
			t.Errorf("Dir of %q is %q, want %q", prefix, got, want)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	src, dst := mem("cats/im"), tasks.Storage{Provider: "mem", Bucket: "other", Prefix: "out/"}
	top := tasks.Storage{Provider: "mem", Bucket: "other"}
	type target interface {
		Target() (tasks.Storage, string)
	}
	for name, c := range map[string]struct {
		job target
		to  tasks.Storage
		key string
	}{
		"manifest":                     {tasks.BuildManifest{Source: src}, src, "cats/manifest.jsonl"},
		"manifest at the top":          {tasks.BuildManifest{Source: mem("im")}, mem("im"), "manifest.jsonl"},
		"manifest elsewhere":           {tasks.BuildManifest{Source: src, Destination: &dst}, dst, "out/manifest.jsonl"},
		"manifest named":               {tasks.BuildManifest{Source: src, Manifest: "cats/m.jsonl"}, src, "cats/m.jsonl"},
		"thumbnails":                   {tasks.GenerateThumbnails{Source: src}, src, "cats/.stevedore/thumbnails/"},
		"thumbnails elsewhere":         {tasks.GenerateThumbnails{Source: src, Destination: &dst}, dst, "out/"},
		"thumbnails in another bucket": {tasks.GenerateThumbnails{Source: src, Destination: &top}, top, ""},
		"thumbnails over the images":   {tasks.GenerateThumbnails{Source: src, Destination: new(mem("cats/"))}, mem("cats/"), "cats/.stevedore/thumbnails/"},
		"thumbnails beside the images": {tasks.GenerateThumbnails{Source: src, Destination: new(mem("dogs/"))}, mem("dogs/"), "dogs/"},
		"thumbnails at half a name":    {tasks.GenerateThumbnails{Source: src, Destination: new(mem("dogs/x"))}, mem("dogs/x"), "dogs/.stevedore/thumbnails/"},
		"thumbnails named":             {tasks.GenerateThumbnails{Source: src, Directory: "cats/t/"}, src, "cats/t/"},
		"export":                       {tasks.ExportAnnotations{Source: src, Key: "cats/o.zip"}, src, "cats/o.zip"},
		"export elsewhere":             {tasks.ExportAnnotations{Source: src, Destination: &dst, Key: "out/o.zip"}, dst, "out/o.zip"},
		"annotations":                  {input{tasks.ExportAnnotations{Source: src, Destination: &dst, Annotations: tasks.Annotations{Key: "a.xml"}}}, src, "a.xml"},
		"annotations elsewhere":        {input{tasks.ExportAnnotations{Source: src, Annotations: tasks.Annotations{Storage: &dst, Key: "a.xml"}}}, dst, "a.xml"},
	} {
		to, key := c.job.Target()
		if key != c.key || to.String() != c.to.String() {
			t.Errorf("%s goes to %s and %q, want %s and %q", name, to, key, c.to, c.key)
		}
	}
}

// input puts the place that an export reads from into the same table as
// the places that jobs write to.
type input struct{ tasks.ExportAnnotations }

func (i input) Target() (tasks.Storage, string) { return i.Input() }

func TestThumbnailSpec(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, quality, wantSize, wantQuality int }{{0, 0, 256, 80}, {64, 0, 64, 80}, {0, 1, 256, 1}} {
		if s, q := (tasks.GenerateThumbnails{Size: c.size, Quality: c.quality}).Spec(); s != c.wantSize || q != c.wantQuality {
			t.Errorf("Spec of %d, %d is %d, %d, want %d, %d", c.size, c.quality, s, q, c.wantSize, c.wantQuality)
		}
	}
}

func TestOwnKeys(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		".stevedore/x": true, "a/.stevedore/thumbnails/b.jpg": true, ".stevedore/": true,
		".stevedore": false, "a.stevedore/x": false, "a/.stevedores/x": false, "x.jpg": false, "": false,
	} {
		if tasks.IsOwn(key) != want {
			t.Errorf("IsOwn(%q) = %v", key, !want)
		}
	}
}

func TestStorageAsText(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]tasks.Storage{
		"s3://b/cats/im":      {Provider: "s3", Bucket: "b", Prefix: "cats/im", Auth: tasks.Auth{AccessKeyID: canary}},
		"gcs://b/":            {Provider: "gcs", Bucket: "b", Endpoint: "https://" + canary},
		"file:///srv/a/cats/": {Provider: "file", Bucket: "/srv/a/", Prefix: "cats/"},
	} {
		if s.String() != want {
			t.Errorf("got %q, want %q", s.String(), want)
		}
	}
}

func TestSameBucket(t *testing.T) {
	t.Parallel()
	a := tasks.Storage{Provider: "azure", Bucket: "b", Account: "a", Endpoint: "http://h"}
	alike := a
	alike.Prefix, alike.Auth.Method = "x/", "sas"
	if !a.Same(alike) {
		t.Error("prefix and credentials must not matter")
	}
	for name, change := range map[string]func(*tasks.Storage){
		"provider": func(s *tasks.Storage) { s.Provider = "s3" }, "bucket": func(s *tasks.Storage) { s.Bucket = "c" },
		"account": func(s *tasks.Storage) { s.Account = "c" }, "endpoint": func(s *tasks.Storage) { s.Endpoint = "" },
	} {
		other := a
		if change(&other); a.Same(other) || other.Same(a) {
			t.Errorf("another %s must make another bucket", name)
		}
	}
}
