package signing_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// frontEnd changes the headers of every request as Google's front end
// and some proxies do. It fails a test whose request lacks what the
// server needs. Only reads come without the SDK's own headers: see
// package fastread.
type frontEnd struct{ t *testing.T }

func (f frontEnd) RoundTrip(r *http.Request) (*http.Response, error) {
	changed := r.Clone(r.Context())
	encoding := r.Header.Get("Accept-Encoding")
	isSTS := r.URL.Path == "/sts"
	isRead := r.URL.Query().Get("x-id") == "GetObject"
	if encoding == "" && !isSTS || r.Header.Get("Amz-Sdk-Request") == "" && !isRead {
		f.t.Errorf("%s %s has only the headers %v", r.Method, r.URL.Path, r.Header)
	}
	changed.Header.Set("Accept-Encoding", encoding+",gzip(gfe)")
	changed.Header.Del("Amz-Sdk-Invocation-Id")
	changed.Header.Set("Amz-Sdk-Request", "attempt=9")
	changed.Header.Set("User-Agent", "front end")
	return http.DefaultTransport.RoundTrip(changed)
}

// A server behind a front end that changes headers accepts every
// signature: those of all operations, of an upload in parts, of the
// checks, and of STS.
func TestStableHeaders_AreAllThatIsSigned(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	s := s3test.RoleStorage(t, server, nil)
	opener := &s3.Opener{Client: &http.Client{Transport: frontEnd{t}}, STSEndpoint: server.Endpoint}
	b := s3test.Open(t, opener, s, providers.Secrets{})

	for key, size := range map[string]int{"dir/k": 1, "dir/big": 9 << 20} {
		body := bytes.NewReader(make([]byte, size))
		if _, err := b.Put(t.Context(), key, body, providers.WriteOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := b.Stat(t.Context(), key); err != nil {
			t.Error(err)
		}
		r, err := b.Open(t.Context(), key, providers.ReadOptions{Offset: 0, Length: 1})
		if err != nil {
			t.Error(err)
			continue
		}
		_ = r.Close()
	}
	for _, err := range b.List(t.Context(), providers.ListOptions{Prefix: "dir/"}) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, c := range s3test.Probe(t, b, tasks.Need{Read: true, Write: true, Versions: true}) {
		if c.Status == tasks.CheckFail || strings.Contains(c.Evidence, "SignatureDoesNotMatch") {
			t.Errorf("%+v", c)
		}
	}
}
