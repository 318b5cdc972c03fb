package s3_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log" //nolint:depguard // where the SDK writes, which is the point of a test
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// storage is an s3 storage whose secret lies in a file, as secrets do.
func storage(t testing.TB, endpoint, bucket string, k providertest.Keys) (tasks.Storage, providers.Secrets) {
	t.Helper()
	secret, allow := secretFile(t, k.SecretAccessKey)
	return tasks.Storage{
		Provider: "s3", Bucket: bucket, Endpoint: endpoint,
		Auth: tasks.Auth{Method: tasks.AuthAccessKey, AccessKeyID: k.AccessKeyID, SecretAccessKey: secret},
	}, allow
}

func open(t testing.TB, endpoint, bucket string, k providertest.Keys) providers.Bucket {
	t.Helper()
	s, secrets := storage(t, endpoint, bucket, k)
	return openStorage(t, s, secrets)
}

func openStorage(t testing.TB, s tasks.Storage, secrets providers.Secrets) providers.Bucket {
	t.Helper()
	return openWith(t, &s3.Opener{}, s, secrets)
}

// openWith completes an opener by a client that reaches this machine.
func openWith(t testing.TB, o *s3.Opener, s tasks.Storage, secrets providers.Secrets) providers.Bucket {
	t.Helper()
	if err := (tasks.VerifyConnection{Storage: s}).Validate(); err != nil {
		t.Fatal(err)
	}
	allow, err := egress.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	if o.Client == nil {
		o.Client = egress.Policy{Allow: allow}.Client()
		t.Cleanup(o.Client.CloseIdleConnections)
	}
	o.Attempts = cmp.Or(o.Attempts, 2)
	b, err := o.Open(context.Background(), s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		bucket := server.Bucket(t)
		t.Cleanup(func() {
			if n := server.OpenUploads(t, bucket); n != 0 {
				t.Errorf("%d uploads were left open", n)
			}
		})
		return open(t, server.Endpoint, bucket, server.Root)
	})
	providertest.RunMissing(t, open(t, server.Endpoint, "no-such-bucket-here", server.Root))
	providertest.RunThrough(t, open(t, server.Endpoint, server.Bucket(t), server.Root))
}

func TestProbe(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	wrong := func(testing.TB, string) providertest.Keys {
		return providertest.Keys{AccessKeyID: server.Root.AccessKeyID, SecretAccessKey: "wrong-" + server.Root.SecretAccessKey}
	}
	unknown := func(testing.TB, string) providertest.Keys {
		return providertest.Keys{AccessKeyID: "AKIAUNKNOWN", SecretAccessKey: "secret"}
	}
	const ok, fail, skipped, warn = tasks.CheckOK, tasks.CheckFail, tasks.CheckSkipped, tasks.CheckWarn
	for _, c := range []struct {
		name    string
		keys    func(testing.TB, string) providertest.Keys
		objects []string
		want    [3]tasks.CheckStatus // list, read, write
		code    string               // of the first of them that failed
		fix     string               // words in its advice
	}{
		// The policies that labelling tools publish lack the right to abort
		// an upload.
		{"Writer", server.Writer, []string{"dir/k"}, [3]tasks.CheckStatus{ok, ok, warn}, "", ""},
		{"WriterEmptyBucket", server.Writer, nil, [3]tasks.CheckStatus{ok, ok, warn}, "", ""},
		{"WriterEmptyObject", server.Writer, []string{"dir/empty"}, [3]tasks.CheckStatus{ok, ok, warn}, "", ""},
		{"Reader", server.Reader, []string{"dir/k"}, [3]tasks.CheckStatus{ok, ok, fail}, "AccessDenied", "s3:PutObject on arn:aws:s3:::BUCKET/dir/* in"},
		{"Lister", server.Lister, []string{"dir/k"}, [3]tasks.CheckStatus{ok, fail, fail}, "AccessDenied", "s3:GetObject on arn:aws:s3:::BUCKET/dir/* in"},
		{"WrongSecret", wrong, []string{"dir/k"}, [3]tasks.CheckStatus{fail, skipped, skipped}, "SignatureDoesNotMatch", "secret access key"},
		{"UnknownKey", unknown, nil, [3]tasks.CheckStatus{fail, skipped, skipped}, "InvalidAccessKeyId", "access key ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bucket := server.Bucket(t)
			root := open(t, server.Endpoint, bucket, server.Root)
			for _, key := range c.objects {
				if _, err := root.Put(t.Context(), key, strings.NewReader(strings.TrimPrefix(key, "dir/empty")), providers.WriteOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			s, secrets := storage(t, server.Endpoint, bucket, c.keys(t, bucket))
			s.Prefix = "dir/"
			wantChecks(t, openStorage(t, s, secrets), c.want, c.code, strings.ReplaceAll(c.fix, "BUCKET", bucket))
			wantCount(t, root, len(c.objects))
		})
	}
}

// everything is all that a storage can be asked for.
func everything() tasks.Need { return tasks.Need{Read: true, Write: true, Versions: true, KMS: true} }

// checksOf probes, and finds each check by its ID.
func checksOf(t *testing.T, b providers.Bucket, need tasks.Need) map[string]tasks.Check {
	t.Helper()
	byID := map[string]tasks.Check{}
	for _, c := range providers.Probe(t.Context(), b, need) {
		if _, twice := byID[c.ID]; twice {
			t.Errorf("%s twice", c.ID)
		}
		byID[c.ID] = c
		if c.Status == tasks.CheckFail && (c.Code == "" || c.Fix == "" || c.Evidence == "") {
			t.Errorf("a fault without code, evidence or advice: %+v", c)
		}
	}
	return byID
}

func wantChecks(t *testing.T, b providers.Bucket, want [3]tasks.CheckStatus, code, fix string) {
	t.Helper()
	checks := checksOf(t, b, tasks.Need{Read: true, Write: true})
	for i, id := range []string{"list", "read", "write"} {
		check := checks[id]
		if check.Status != want[i] {
			t.Errorf("%+v, want %s", check, want[i])
		}
		if check.Status != tasks.CheckFail {
			continue
		}
		if code != "" && (check.Code != code || !strings.Contains(check.Fix, fix)) {
			t.Errorf("%s: code %s, want %s; fix %q, want %q in it", check.ID, check.Code, code, check.Fix, fix)
		}
		code = ""
	}
}

// wantCount checks that a probe stored nothing.
func wantCount(t *testing.T, b providers.Bucket, want int) {
	t.Helper()
	n := 0
	for _, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != want {
		t.Errorf("the bucket holds %d objects, want %d", n, want)
	}
}

func TestProbeAsksForWhatIsNeeded(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	b := open(t, server.Endpoint, bucket, server.Lister(t, bucket))
	var ids []string
	for _, c := range providers.Probe(t.Context(), b, tasks.Need{}) {
		ids = append(ids, c.ID+" "+string(c.Status))
	}
	if got := strings.Join(ids, ", "); got != "credentials skipped, region ok, list ok, rights ok" {
		t.Errorf("got %s", got)
	}
}

// Without the right to list, S3 hides whether an object exists; what may be
// done with it can still be told in part.
func TestProbeWithoutListing(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	keys := server.User(t, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::`+bucket+`/*"}]}`)
	b := open(t, server.Endpoint, bucket, keys)
	wantChecks(t, b, [3]tasks.CheckStatus{tasks.CheckFail, tasks.CheckFail, tasks.CheckWarn}, "AccessDenied", "s3:ListBucket")
}

// The right to abort uploads is missing in the policies that labelling tools
// publish. The parts stay, and the error says so.
func TestUnfinishedUploadIsReported(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	b := open(t, server.Endpoint, bucket, server.Writer(t, bucket))
	root := open(t, server.Endpoint, bucket, server.Root)
	if _, err := root.Put(t.Context(), "k", strings.NewReader("old"), providers.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := b.Put(t.Context(), "k", bytes.NewReader(make([]byte, 9<<20)), providers.WriteOptions{IfAbsent: true})
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Conflict || !strings.Contains(e.Fix, "s3:AbortMultipartUpload") {
		t.Errorf("got %v with fix %q", err, e.Advice())
	}
	if n := server.OpenUploads(t, bucket); n != 1 {
		t.Errorf("%d open uploads, want 1: the advice would be wrong", n)
	}
}

// The SDK's transfermanager writes to the process's log when it cannot
// complete an upload. Not parallel: it swaps that log.
func TestPutIsSilent(t *testing.T) {
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	b := open(t, server.Endpoint, bucket, server.Root)
	var logged bytes.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&logged)
	for i, body := range []io.Reader{strings.NewReader("old"), bytes.NewReader(make([]byte, 9<<20))} {
		_, err := b.Put(t.Context(), "k", body, providers.WriteOptions{IfAbsent: true})
		if (err == nil) != (i == 0) {
			t.Fatalf("put %d: %v", i, err)
		}
	}
	if logged.Len() != 0 {
		t.Errorf("logged %q", logged.String())
	}
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	s := tasks.Storage{Provider: "s3", Bucket: server.Bucket(t), Endpoint: server.Endpoint, Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
	_, err := openStorage(t, s, providers.Secrets{}).Stat(t.Context(), "k")
	if providers.KindOf(err) != providers.Denied {
		t.Errorf("got %v, want denied", err)
	}
}
