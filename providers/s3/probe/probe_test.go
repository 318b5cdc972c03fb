package probe_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	ok      = tasks.CheckOK
	warn    = tasks.CheckWarn
	fail    = tasks.CheckFail
	unknown = tasks.CheckUnknown
	skipped = tasks.CheckSkipped
)

// result is what the checks of the credentials, of listing, reading and
// writing must find.
type result struct {
	list, read, write tasks.CheckStatus

	code string // of the first that fails
	fix  string // words of its fix
}

func (want result) check(t *testing.T, b providers.Bucket) {
	t.Helper()
	checks := s3test.Probe(t, b, tasks.Need{Read: true, Write: true})
	got := result{
		list: checks["list"].Status, read: checks["read"].Status, write: checks["write"].Status,
	}
	for _, id := range []string{"credentials", "list", "read", "write"} {
		if c := checks[id]; c.Status == fail && want.code != "" {
			got.code = c.Code
			if strings.Contains(c.Fix, want.fix) {
				got.fix = want.fix
			} else {
				got.fix = c.Fix
			}
			break
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("%s\nof %+v", diff, checks)
	}
}

func TestListReadWrite(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	wrongSecret := func(testing.TB, string) servers.Keys {
		keys := server.Root
		keys.SecretAccessKey = "wrong-" + keys.SecretAccessKey
		return keys
	}
	unknownKey := func(testing.TB, string) servers.Keys { return s3test.Keys() }
	for name, c := range map[string]struct {
		keys   func(testing.TB, string) servers.Keys
		object string // under the prefix; empty means no object
		size   int
		want   result
	}{
		// The policies that labelling tools publish lack the right to
		// abort uploads, so the write check warns.
		"Writer":            {server.Writer, "dir/k", 1, result{list: ok, read: ok, write: warn}},
		"WriterEmptyBucket": {server.Writer, "", 0, result{list: ok, read: ok, write: warn}},
		"WriterEmptyObject": {server.Writer, "dir/k", 0, result{list: ok, read: ok, write: warn}},
		"Reader": {server.Reader, "dir/k", 1, result{
			ok, ok, fail, "AccessDenied", "s3:PutObject on arn:aws:s3:::BUCKET/dir/* in",
		}},
		"Lister": {server.Lister, "dir/k", 1, result{
			ok, fail, fail, "AccessDenied", "s3:GetObject on arn:aws:s3:::BUCKET/dir/* in",
		}},
		"WrongSecret": {wrongSecret, "dir/k", 1, result{
			skipped, skipped, skipped, "SignatureDoesNotMatch", "secret access key",
		}},
		"UnknownKey": {unknownKey, "", 0, result{
			skipped, skipped, skipped, "InvalidAccessKeyId", "access key ID",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := server.Bucket(t)
			root := s3test.OpenAt(t, server.Endpoint, bucket, server.Root)
			count := 0
			if c.object != "" {
				s3test.Put(t, root, c.object, strings.Repeat("x", c.size))
				count++
			}
			s, secrets := s3test.Storage(t, server.Endpoint, bucket, c.keys(t, bucket))
			s.Prefix = "dir/"
			c.want.fix = strings.ReplaceAll(c.want.fix, "BUCKET", bucket)
			c.want.check(t, s3test.Open(t, &s3.Opener{}, s, secrets))
			s3test.CheckCount(t, root, count)
		})
	}
}

// Only the checks are made that are wanted.
func TestNeed(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := server.Bucket(t)
	b := s3test.OpenAt(t, server.Endpoint, bucket, server.Lister(t, bucket))
	var ids []string
	for _, c := range providers.Probe(t.Context(), b, tasks.Need{}) {
		ids = append(ids, c.ID+" "+string(c.Status))
	}
	if got := strings.Join(ids, ", "); got != "credentials skipped, region ok, list ok, rights ok" {
		t.Errorf("got %s", got)
	}
}

// Without the right to list, S3 hides whether an object exists. The
// other checks still find out what they can.
func TestWithoutListing(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := server.Bucket(t)
	keys := server.User(t, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", `+
		`"Action": "s3:PutObject", "Resource": "arn:aws:s3:::`+bucket+`/*"}]}`)
	b := s3test.OpenAt(t, server.Endpoint, bucket, keys)
	result{fail, fail, warn, "AccessDenied", "s3:ListBucket"}.check(t, b)
}

// A worker whose operator has set an STS also uses buckets of other
// servers, whose keys that STS does not know. Such keys are not wrong.
func TestKeysOfAnotherServer(t *testing.T) {
	t.Parallel()
	refused := s3test.Fault{
		To: "sts:GetCallerIdentity", Status: http.StatusForbidden, Code: "InvalidClientTokenId",
		Message: "The security token included in the request is invalid.",
	}
	s, secrets := s3test.Storage(t, "http://minio.example", "pictures", s3test.Keys())
	s.Prefix = "dir/"
	b := s3test.Open(t, &s3.Opener{
		STSEndpoint: "http://sts.example/sts",
		Client:      providertest.Client(s3test.FakeAWS(refused)),
	}, s, secrets)
	for id, c := range s3test.Probe(t, b, tasks.Need{Read: true}) {
		want := ok
		if id == "credentials" {
			want = unknown
		}
		if c.Status != want {
			t.Errorf("%+v, want %s", c, want)
		}
	}
}

// A server that accepts a write with a wrong checksum has stored the
// object. The check warns, and deletes it.
func TestServerIgnoresChecksum(t *testing.T) {
	t.Parallel()
	var stored, deleted atomic.Value
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPut:
			stored.Store(r.URL.Path)
		case http.MethodDelete:
			deleted.Store(r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		default:
			_, _ = io.WriteString(w, s3test.Listing(""))
		}
	})
	c := s3test.Probe(t, b, tasks.Need{Write: true})["write"]
	if c.Status != warn || c.Code != "ChecksumIgnored" {
		t.Fatalf("got %+v", c)
	}
	if stored.Load() == nil || stored.Load() != deleted.Load() {
		t.Errorf("stored %v, deleted %v", stored.Load(), deleted.Load())
	}
}

// Only a clear refusal fails the write check, and only a clear answer
// passes it. After any other answer the result is unknown.
func TestWriteAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		want   tasks.CheckStatus
	}{
		{400, "BadDigest", ok},
		{412, "PreconditionFailed", ok},
		{409, "ConditionalRequestConflict", ok},
		{403, "AccessDenied", fail},
		{403, "InvalidAccessKeyId", fail},
		{404, "NoSuchBucket", fail},
		{501, "NotImplemented", fail},
		{400, "InvalidDigest", ok},
		{400, "InvalidRequest", unknown},
		{500, "InternalError", unknown},
		{503, "SlowDown", unknown},
	} {
		b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				_, _ = io.WriteString(w, s3test.Listing(""))
				return
			}
			if err := checkHarmless(r); err != nil {
				t.Errorf("%v: %v %v", err, r.URL, r.Header)
			}
			s3test.WriteError(w, c.status, c.code, "m")
		})
		got := s3test.Probe(t, b, tasks.Need{Write: true})["write"]
		if got.Status != c.want || got.Code != c.code && c.want != ok {
			t.Errorf("%d %s: %+v, want %s", c.status, c.code, got, c.want)
		}
	}
}

// checkHarmless checks that a request of the write check changes no
// object: it is for a key of its own, and a PUT has a checksum.
func checkHarmless(r *http.Request) error {
	switch {
	case !strings.HasPrefix(r.URL.Path, "/b/.stevedore-probe-"):
		return errors.New("another key")
	case r.Method == http.MethodPut && r.Header.Get("Content-Md5") == "":
		return errors.New("no checksum")
	}
	return nil
}
