package client_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// requestLog notes each request as its method and the names of its
// query parameters.
type requestLog struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (l *requestLog) add(r *http.Request) string {
	name := r.Method + " " + strings.Join(slices.Sorted(maps.Keys(r.URL.Query())), ",")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[name] = true
	return name
}

// The headers for requester_pays and expected_owner are in every
// request, also in those of an upload in parts, and they are signed.
func TestHeadersOfEveryRequest(t *testing.T) {
	t.Parallel()
	log := requestLog{seen: map[string]bool{}}
	handler := func(w http.ResponseWriter, r *http.Request) {
		name := log.add(r)
		signature := r.Header.Get("Authorization")
		for header, want := range map[string]string{
			"X-Amz-Request-Payer": "requester", "X-Amz-Expected-Bucket-Owner": "123456789012",
		} {
			if r.Header.Get(header) != want || !strings.Contains(signature, strings.ToLower(header)) {
				t.Errorf("%s: %s is %q, authorization %s", name, header, r.Header.Get(header), signature)
			}
		}
		answer(w, r)
	}
	s, secrets := s3test.Storage(t, "http://127.0.0.1:1", "b", s3test.Keys())
	s.RequesterPays, s.ExpectedOwner = true, "123456789012"
	b := s3test.OpenVia(t, http.HandlerFunc(handler), s, secrets)

	for op, err := range providertest.Operations(t.Context(), b) {
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	body := bytes.NewReader(make([]byte, 9<<20))
	if _, err := b.Put(t.Context(), "big", body, providers.WriteOptions{}); err != nil {
		t.Error(err)
	}
	s3test.Probe(t, b, s3test.AllNeeds())
	for _, name := range []string{
		"HEAD ", "DELETE x-id", "POST uploads", "POST uploadId", "PUT partNumber,uploadId,x-id",
		"PUT x-id", "GET max-keys,versions", "GET policy", "GET cors",
	} {
		if !log.seen[name] {
			t.Errorf("no %s among %v", name, slices.Sorted(maps.Keys(log.seen)))
		}
	}
}

// answer accepts every request.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	q := r.URL.Query()
	w.Header().Set("ETag", `"e"`)
	switch {
	case r.Method == http.MethodPost:
		_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>u</UploadId>`+
			`<ETag>e</ETag></InitiateMultipartUploadResult>`)
	case q.Has("list-type"), q.Has("versions"):
		_, _ = io.WriteString(w, s3test.Listing(""))
	default:
		w.Header().Set("Content-Length", "0")
	}
}

// Requests go to the URL that the bucket names as its endpoint, and a
// browser would load an object from there.
func TestURLs(t *testing.T) {
	t.Parallel()
	const key, own = "dir/stevedore-cors-check", "https://storage.example:9000"
	const accessPoint = "arn:aws:s3:us-west-2:123456789012:accesspoint/photos"
	for _, c := range []struct{ endpoint, region, addressing, bucket, want, path string }{
		{"", "eu-west-1", "", "pictures", "https://pictures.s3.eu-west-1.amazonaws.com", "/"},
		{"", "eu-west-1", "path", "pictures", "https://s3.eu-west-1.amazonaws.com", "/pictures/"},
		{"", "eu-west-1", "", "my.pictures", "https://s3.eu-west-1.amazonaws.com", "/my.pictures/"},
		{"", "cn-north-1", "", "pictures", "https://pictures.s3.cn-north-1.amazonaws.com.cn", "/"},
		{"", "", "", "pictures", "https://pictures.s3.us-east-1.amazonaws.com", "/"},
		{"", "", "", accessPoint, "https://photos-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "/"},
		{"", "eu-west-1", "", accessPoint, "https://photos-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "/"},
		{"", "", "", "arn:aws:s3::123456789012:accesspoint/mfzwi.mrap", "https://mfzwi.mrap.accesspoint.s3-global.amazonaws.com", "/"},
		{"", "us-west-2", "", "photos-hrzrlukc5m36-s3alias", "https://photos-hrzrlukc5m36-s3alias.s3.us-west-2.amazonaws.com", "/"},
		{own, "", "", accessPoint, "https://photos-123456789012.storage.example:9000", "/"},
		{own, "", "", "b", own, "/b/"},
		{own, "", "path", "b", own, "/b/"},
		{own, "", "virtual", "pictures", "https://pictures.storage.example:9000", "/"},
	} {
		var requested string
		handler := func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead && r.Header.Get("Authorization") == "" &&
				c.region == "" && c.endpoint == "" { // the question for the region
				w.Header().Set("X-Amz-Bucket-Region", "us-east-1")
				return
			}
			requested = r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
		}
		s, secrets := s3test.Storage(t, c.endpoint, c.bucket, s3test.Keys())
		s.Region, s.Addressing, s.Prefix = c.region, c.addressing, "dir/"
		b := s3test.OpenVia(t, http.HandlerFunc(handler), s, secrets)

		at, ok := b.(providers.Located)
		target := c.want + c.path + key
		if !ok || at.Endpoint() != c.want || at.CORSTarget() != target {
			t.Errorf("%+v: endpoint %s, CORS target %s", c, at.Endpoint(), at.CORSTarget())
		}
		_, _ = b.Stat(t.Context(), key)
		if requested != target {
			t.Errorf("%+v: a request went to %s", c, requested)
		}
	}
}
