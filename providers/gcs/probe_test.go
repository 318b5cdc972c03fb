package gcs_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	mayList   = "storage.objects.list"
	mayGet    = "storage.objects.get"
	mayCreate = "storage.objects.create"
	mayDelete = "storage.objects.delete"
)

// fault is one fault of a storage, and the check that must find it.
type fault struct {
	name string
	// grants are the permissions of the storage's account, or of allUsers if
	// the storage is anonymous.
	grants  []string
	bucket  servers.GCSBucket // its other properties
	account servers.GCSAccount
	// auth is anonymous, rotated, removed, or own (a key that Google does not
	// know). Empty means the account's key.
	auth   string
	change func(*tasks.Storage)
	need   func(*tasks.Need)

	check, code, fix string // fix is a part of the advice
}

func reader() []string { return []string{mayList, mayGet} }
func writer() []string { return []string{mayList, mayGet, mayCreate, mayDelete} }

func answered(op string, status int, body string) servers.GCSBucket {
	return servers.GCSBucket{Faults: map[string]servers.GCSFault{op: {Status: status, Body: body}}}
}

func tokenAnswer(status int, code, description string) servers.GCSAccount {
	return servers.GCSAccount{Fault: &servers.GCSFault{
		Status: status, Body: fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description),
	}}
}

// faults returns faults of credentials, then of the bucket, then of
// rights.
func faults() []fault {
	named := func(name string) func(*tasks.Storage) {
		return func(s *tasks.Storage) { s.Bucket = name }
	}
	project := func(s *tasks.Storage) { s.Project = "payer" }
	pays := servers.GCSBucket{RequesterPays: true}
	noTest := servers.GCSBucket{NoTestPermissions: true}
	return []fault{
		{name: "KeyRotated", grants: writer(), auth: "rotated", check: "credentials", code: "invalid_grant", fix: "gcloud iam service-accounts keys create"},
		{name: "KeyOfAnother", grants: writer(), auth: "own", check: "credentials", code: "invalid_grant", fix: "auth.key_file"},
		{name: "AccountDeleted", grants: writer(), auth: "removed", check: "credentials", code: "invalid_grant", fix: "account of auth.key_file was deleted"},
		{name: "AccountDisabled", grants: writer(), account: tokenAnswer(400, "invalid_grant", "Account has been disabled."), check: "credentials", code: "invalid_grant", fix: "gcloud iam service-accounts enable"},
		{name: "Clock", grants: writer(), account: tokenAnswer(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."), check: "credentials", code: "invalid_grant", fix: "clock of the worker"},
		{name: "TokenEndpointDown", grants: writer(), account: tokenAnswer(503, "backend_error", "try again"), check: "credentials", code: "backend_error", fix: "having trouble"},
		{name: "TokenNotTaken", grants: writer(), bucket: answered("list", 401, inJSON(401, "authError", "Invalid Credentials")), check: "list", code: "authError", fix: "exists and is enabled"},

		{name: "NoSuchBucket", grants: writer(), change: named("no-such-bucket-at-all"), check: "list", code: "NoSuchBucket", fix: "gcloud storage buckets describe gs://no-such-bucket-at-all"},
		{name: "NoProject", grants: writer(), bucket: pays, check: "list", code: "UserProjectMissing", fix: "set storage.project"},
		{name: "ProjectNotAllowed", grants: writer(), bucket: pays, change: project, check: "project", code: "forbidden", fix: "gcloud projects add-iam-policy-binding payer"},
		{name: "Billing", grants: writer(), bucket: answered("list", 403, inJSON(403, "accountDisabled", noBilling)), check: "list", code: "accountDisabled", fix: "gcloud billing projects link"},
		{name: "APIDisabled", grants: writer(), bucket: answered("any", 403, withErrorInfo(403, "SERVICE_DISABLED", noAPI)), check: "list", code: "SERVICE_DISABLED", fix: "gcloud services enable"},
		{name: "Perimeter", grants: writer(), bucket: answered("any", 403, withErrorInfo(403, "SECURITY_POLICY_VIOLATED", perimeter)), check: "list", code: "SECURITY_POLICY_VIOLATED", fix: "ingress rule"},
		{name: "Throttled", grants: writer(), bucket: answered("list", 429, inJSON(429, "rateLimitExceeded", "slow down")), check: "list", code: "rateLimitExceeded", fix: "fewer workers"},
		{name: "Outage", grants: writer(), bucket: answered("any", 503, inJSON(503, "backendError", "Backend Error")), check: "list", code: "backendError", fix: "having trouble"},
		{name: "NotGCS", grants: writer(), bucket: answered("any", 200, "<html></html>"), check: "list", code: "NotGCS", fix: "storage.endpoint"},
		{name: "ConsoleURL", grants: writer(), bucket: answered("any", 404, "<html></html>"), check: "list", code: "NotGCS", fix: "storage.endpoint"},

		{name: "NoRights", check: "list", code: "forbidden", fix: "--role=roles/storage.objectUser"},
		{name: "BasicViewer", need: func(n *tasks.Need) { n.Write = false }, check: "list", code: "forbidden", fix: "the basic role Viewer is not enough"},
		{name: "NoList", grants: []string{mayGet, mayCreate, mayDelete}, check: "list", code: "forbidden", fix: "Grant storage.objects.list"},
		{name: "NoGet", grants: []string{mayList, mayCreate, mayDelete}, check: "read", code: "forbidden", fix: "Grant storage.objects.get"},
		{name: "NoCreate", grants: reader(), check: "write", code: "forbidden", fix: "Grant storage.objects.create"},
		{name: "NoCreateNoTest", grants: reader(), bucket: noTest, check: "write", code: "forbidden", fix: "--role=roles/storage.objectUser"},
		{name: "AnonymousClosed", auth: "anonymous", check: "list", code: "required", fix: "--member=allUsers"},
		{name: "PublicAccessPrevention", auth: "anonymous", grants: reader(), bucket: servers.GCSBucket{NoPublic: true}, check: "list", code: "required", fix: "--no-public-access-prevention"},
		{name: "LegacyBucketReader", auth: "anonymous", grants: []string{mayList, "storage.buckets.get"}, check: "read", code: "required", fix: "Storage Legacy Bucket Reader lists but reads nothing"},
		{name: "AnonymousWrite", auth: "anonymous", grants: reader(), check: "write", code: "required", fix: "method key-file"},
		{name: "KMSDenied", grants: writer(), bucket: answered("get", 403, inJSON(403, "forbidden", noKey)), check: "read", code: "forbidden", fix: "gcloud storage service-agent"},
		{name: "KMSDestroyed", grants: writer(), bucket: answered("get", 400, inJSON(400, "invalid", keyState)), check: "read", code: "invalid", fix: "gcloud kms keys versions enable"},
	}
}

// Each fault makes one check fail, with advice. The checks after it are
// skipped, and the bucket does not change.
func TestFaults(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	root := server.Account(t, servers.GCSAccount{Root: true})
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			b, name := f.open(t, server)
			owner := openAs(t, server, name, root)
			fill(t, owner)
			before := contents(t, owner)
			need := tasks.Need{Read: true, Write: true, Versions: true, KMS: true}
			if f.need != nil {
				f.need(&need)
			}
			f.wantFailure(t, providers.Probe(t.Context(), b, need))
			if after := contents(t, owner); !maps.Equal(before, after) {
				t.Errorf("the bucket held %v, and now %v", before, after)
			}
		})
	}
}

func (f fault) open(t *testing.T, server servers.GCSServer) (providers.Bucket, string) {
	t.Helper()
	key := server.Account(t, f.account)
	settings := f.bucket
	who := key.Email
	if f.auth == "anonymous" {
		who = "allUsers"
	}
	settings.Grants = map[string][]string{who: f.grants}
	name := server.Bucket(t, settings)
	switch f.auth {
	case "rotated":
		server.Rotate(t, key, f.account)
	case "removed":
		server.Remove(t, key)
	case "own":
		key.JSON = strings.ReplaceAll(key.JSON, between(key.JSON, `"private_key":"`, `"`), strings.ReplaceAll(privateKey(t), "\n", `\n`))
	}
	s, secrets := storage(t, server.Endpoint, name, key.JSON)
	if f.auth == "anonymous" {
		s = anonymous(server.Endpoint, name)
	}
	s.Prefix = "dir/"
	if f.change != nil {
		f.change(&s)
	}
	return open(t, opener(t, server), s, secrets), name
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	inside, _, _ := strings.Cut(rest, after)
	return inside
}

func (f fault) wantFailure(t *testing.T, checks []tasks.Check) {
	t.Helper()
	failed := -1
	for i, c := range checks {
		switch {
		case c.Status == tasks.CheckFail && failed >= 0:
			t.Errorf("also failed: %+v", c)
		case c.Status == tasks.CheckFail:
			failed = i
			if c.ID != f.check || c.Code != f.code || !strings.Contains(c.Fix, f.fix) {
				t.Errorf("got %+v\nwant %s to fail with %s, fix %q", c, f.check, f.code, f.fix)
			}
		case failed >= 0 && c.Status != tasks.CheckSkipped:
			t.Errorf("made after a failure: %+v", c)
		}
		if text := c.Evidence + c.Fix; strings.Contains(text, "ya29.") || strings.Contains(text, "PRIVATE") {
			t.Errorf("the check shows a secret: %+v", c)
		}
	}
	if failed < 0 {
		t.Errorf("no check failed: %+v", checks)
	}
}

func fill(t *testing.T, b providers.Bucket) {
	t.Helper()
	for _, key := range []string{"dir/a.jpg", "dir/empty", "other/b.jpg"} {
		if _, err := b.Put(t.Context(), key, strings.NewReader(strings.TrimPrefix(key, "dir/empty")), providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// contents returns the version and content of every object, by key.
func contents(t *testing.T, b providers.Bucket) map[string]string {
	t.Helper()
	all := map[string]string{}
	for o, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Open(t.Context(), o.Key, providers.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		all[o.Key] = o.ETag + " " + string(data)
	}
	return all
}

// Storages that work, and the warnings about them.
func TestProbe(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	root := server.Account(t, servers.GCSAccount{Root: true})
	const okay, warn, unknown = tasks.CheckOK, tasks.CheckWarn, tasks.CheckUnknown
	all := tasks.Need{Read: true, Write: true, Versions: true, KMS: true}
	const key = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"
	for _, c := range []struct {
		name   string
		grants []string
		bucket servers.GCSBucket
		need   tasks.Need
		empty  bool
		want   map[string]tasks.CheckStatus
		text   string // a part of the evidence or the fix of some check
	}{
		{"Everything", writer(), servers.GCSBucket{KMSKey: key}, all, false, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "read": okay, "kms": okay, "write": okay, "versions": okay, "rights": okay}, key},
		{"NothingNeeded", reader(), servers.GCSBucket{}, tasks.Need{}, false, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "rights": okay}, "can be listed"},
		{"Empty", writer(), servers.GCSBucket{}, all, true, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "read": okay, "kms": unknown, "write": okay, "versions": okay, "rights": okay}, "no objects under the prefix"},
		{"NoKMSKey", writer(), servers.GCSBucket{}, all, false, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "read": okay, "kms": warn, "write": okay, "versions": okay, "rights": okay}, "--default-encryption-key"},
		{"ObjectCreator", []string{mayList, mayGet, mayCreate}, servers.GCSBucket{}, tasks.Need{Read: true, Write: true}, false, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "read": okay, "write": warn, "rights": okay}, "Storage Object Creator lacks"},
		{"WithoutTestPermissions", writer(), servers.GCSBucket{NoTestPermissions: true}, tasks.Need{Read: true, Write: true}, false, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "read": okay, "write": okay, "rights": unknown}, "refused only for its checksum"},
		{"TooMuchToRead", writer(), servers.GCSBucket{}, tasks.Need{Read: true}, false, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "read": okay, "rights": warn}, "not needed: storage.objects.create, storage.objects.delete"},
		{"StorageAdmin", append(writer(), "storage.buckets.setIamPolicy"), servers.GCSBucket{}, tasks.Need{Write: true}, false, map[string]tasks.CheckStatus{"credentials": okay, "list": okay, "write": okay, "rights": warn}, "storage.buckets.setIamPolicy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			account := server.Account(t, servers.GCSAccount{})
			c.bucket.Grants = map[string][]string{account.Email: c.grants}
			name := server.Bucket(t, c.bucket)
			owner := openAs(t, server, name, root)
			if !c.empty {
				fill(t, owner)
			}
			before := contents(t, owner)
			s, secrets := storage(t, server.Endpoint, name, account.JSON)
			s.Prefix = "dir/"
			checks := providers.Probe(t.Context(), open(t, opener(t, server), s, secrets), c.need)
			got := map[string]tasks.CheckStatus{}
			found := false
			for _, check := range checks {
				got[check.ID] = check.Status
				found = found || strings.Contains(check.Evidence+check.Fix, c.text)
			}
			if !maps.Equal(got, c.want) || !found {
				t.Errorf("got %+v\nwant %v, and %q", checks, c.want, c.text)
			}
			if after := contents(t, owner); !maps.Equal(before, after) {
				t.Errorf("the bucket held %v, and now %v", before, after)
			}
		})
	}
}

// Requests name the storage's project at a bucket whose requester pays,
// and at no other bucket.
func TestRequesterPays(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	key := server.Account(t, servers.GCSAccount{})
	settings := servers.GCSBucket{RequesterPays: true, Grants: map[string][]string{key.Email: writer()}, Billers: map[string][]string{key.Email: {"payer"}}}
	for first, do := range map[string]func(*testing.T, providers.Bucket) error{
		"list": func(t *testing.T, b providers.Bucket) error {
			for _, err := range b.List(t.Context(), providers.ListOptions{}) {
				return err
			}
			return nil
		},
		"stat": func(t *testing.T, b providers.Bucket) error { _, err := b.Stat(t.Context(), "k"); return err },
		"get": func(t *testing.T, b providers.Bucket) error {
			_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
			return err
		},
		"put":    func(t *testing.T, b providers.Bucket) error { return putSize(t, b, 1) },
		"long":   func(t *testing.T, b providers.Bucket) error { return putSize(t, b, 9<<20) },
		"delete": func(t *testing.T, b providers.Bucket) error { return b.Delete(t.Context(), "k") },
	} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			b := openPaying(t, server, settings, key)
			if err := do(t, b); err != nil && providers.KindOf(err) != providers.NotFound {
				t.Error(err)
			}
		})
	}
	t.Run("probe", func(t *testing.T) {
		t.Parallel()
		checks := providers.Probe(t.Context(), openPaying(t, server, settings, key), tasks.Need{Read: true, Write: true})
		i := slices.IndexFunc(checks, func(c tasks.Check) bool { return c.ID == "project" })
		if i < 0 || checks[i].Status != tasks.CheckOK || !strings.Contains(checks[i].Evidence, "billed to project payer") {
			t.Errorf("got %+v", checks)
		}
	})
	t.Run("NotWanted", func(t *testing.T) {
		t.Parallel()
		plain := servers.GCSBucket{Grants: settings.Grants} // without Billers, nobody may bill a project
		for _, c := range providers.Probe(t.Context(), openPaying(t, server, plain, key), tasks.Need{Read: true, Write: true}) {
			if c.Status != tasks.CheckOK {
				t.Errorf("got %+v", c)
			}
		}
	})
}

// openPaying opens a new bucket with a storage that has a project.
func openPaying(t *testing.T, server servers.GCSServer, settings servers.GCSBucket, key servers.GCSKey) providers.Bucket {
	t.Helper()
	s, secrets := storage(t, server.Endpoint, server.Bucket(t, settings), key.JSON)
	s.Project = "payer"
	return open(t, opener(t, server), s, secrets)
}

func putSize(t *testing.T, b providers.Bucket, size int) error {
	t.Helper()
	_, err := b.Put(t.Context(), "k", strings.NewReader(strings.Repeat("x", size)), providers.WriteOptions{})
	return err
}
