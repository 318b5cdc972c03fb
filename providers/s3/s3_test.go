package s3_test

import (
	"bytes"
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
	if err := (tasks.VerifyConnection{Storage: s}).Validate(); err != nil {
		t.Fatal(err)
	}
	allow, err := egress.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	client := egress.Policy{Allow: allow}.Client()
	t.Cleanup(client.CloseIdleConnections)
	b, err := (&s3.Opener{Client: client, Attempts: 2}).Open(context.Background(), s, secrets)
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
	const ok, fail, skipped = tasks.CheckOK, tasks.CheckFail, tasks.CheckSkipped
	for _, c := range []struct {
		name    string
		keys    func(testing.TB, string) providertest.Keys
		objects []string
		want    [3]tasks.CheckStatus // list, read, write
		code    string               // of the first check that failed
		fix     string               // words in its advice
	}{
		{"Writer", server.Writer, []string{"dir/k"}, [3]tasks.CheckStatus{ok, ok, ok}, "", ""},
		{"WriterEmptyBucket", server.Writer, nil, [3]tasks.CheckStatus{ok, ok, ok}, "", ""},
		{"WriterEmptyObject", server.Writer, []string{"dir/empty"}, [3]tasks.CheckStatus{ok, ok, ok}, "", ""},
		{"Reader", server.Reader, []string{"dir/k"}, [3]tasks.CheckStatus{ok, ok, fail}, "AccessDenied", "s3:PutObject"},
		{"Lister", server.Lister, []string{"dir/k"}, [3]tasks.CheckStatus{ok, fail, fail}, "AccessDenied", "s3:GetObject"},
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
			wantChecks(t, openStorage(t, s, secrets), c.want, c.code, c.fix)
			wantCount(t, root, len(c.objects))
		})
	}
}

func wantChecks(t *testing.T, b providers.Bucket, want [3]tasks.CheckStatus, code, fix string) {
	t.Helper()
	checks := providers.Probe(t.Context(), b, tasks.Need{Read: true, Write: true})
	if len(checks) != 3 {
		t.Fatalf("got %+v", checks)
	}
	for i, check := range checks {
		if check.ID != []string{"list", "read", "write"}[i] || check.Status != want[i] {
			t.Errorf("check %d: %+v, want %s", i, check, want[i])
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
	if checks := providers.Probe(t.Context(), b, tasks.Need{}); len(checks) != 1 || checks[0].Status != tasks.CheckOK {
		t.Errorf("got %+v", checks)
	}
}

// Without the right to list, S3 hides whether an object exists; what may be done with it can still be told in part.
func TestProbeWithoutListing(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	keys := server.User(t, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::`+bucket+`/*"}]}`)
	b := open(t, server.Endpoint, bucket, keys)
	wantChecks(t, b, [3]tasks.CheckStatus{tasks.CheckFail, tasks.CheckUnknown, tasks.CheckOK}, "AccessDenied", "s3:ListBucket")
}

// The right to abort uploads is missing in the policies that labelling tools publish. The parts stay, and the error says so.
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

// The SDK's transfermanager writes to the process's log when it cannot complete an upload. Not parallel: it swaps that log.
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

func TestWrongRegion(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	s, secrets := storage(t, server.Endpoint, bucket, server.Root)
	s.Region = "ap-northeast-1"
	for _, err := range openStorage(t, s, secrets).List(t.Context(), providers.ListOptions{}) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || !strings.Contains(e.Fix, "us-east-1") {
			t.Errorf("got %v", err)
		}
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
