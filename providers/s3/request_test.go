package s3_test

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
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// openAt opens a storage whose requests, wherever they go, are answered by a
// handler.
func openAt(t *testing.T, handler http.Handler, s tasks.Storage, secrets providers.Secrets) providers.Bucket {
	t.Helper()
	return openWith(t, &s3.Opener{Client: &http.Client{Transport: aws{handler}}}, s, secrets)
}

// Who pays and whose bucket it must be is said with every request, those of
// an upload in parts included, and signed.
func TestHeadersOfEveryRequest(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	handler := func(w http.ResponseWriter, r *http.Request) {
		name := r.Method + " " + strings.Join(keysOf(r.URL.Query()), ",")
		mu.Lock()
		seen[name] = true
		mu.Unlock()
		for header, want := range map[string]string{"X-Amz-Request-Payer": "requester", "X-Amz-Expected-Bucket-Owner": "123456789012"} {
			if r.Header.Get(header) != want || !strings.Contains(r.Header.Get("Authorization"), strings.ToLower(header)) {
				t.Errorf("%s: %s is %q, authorization %s", name, header, r.Header.Get(header), r.Header.Get("Authorization"))
			}
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"e"`)
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>u</UploadId><ETag>e</ETag></InitiateMultipartUploadResult>`)
			return
		}
		if r.URL.Query().Has("list-type") || r.URL.Query().Has("versions") {
			_, _ = io.WriteString(w, listing(""))
			return
		}
		w.Header().Set("Content-Length", "0")
	}
	s, secrets := storage(t, "http://127.0.0.1:1", "b", providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"})
	s.RequesterPays, s.ExpectedOwner = true, "123456789012"
	b := openAt(t, http.HandlerFunc(handler), s, secrets)
	for op, err := range operations(t.Context(), b) {
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	if _, err := b.Put(t.Context(), "big", bytes.NewReader(make([]byte, 9<<20)), providers.WriteOptions{}); err != nil {
		t.Error(err)
	}
	checksOf(t, b, everything())
	for _, name := range []string{"HEAD ", "DELETE x-id", "POST uploads", "POST uploadId", "PUT partNumber,uploadId,x-id", "PUT x-id", "GET max-keys,versions", "GET policy", "GET cors"} {
		if !seen[name] {
			t.Errorf("no %s among %v", name, keysOf(seen))
		}
	}
}

func TestAddressing(t *testing.T) {
	t.Parallel()
	const compatible = "https://storage.example:9000"
	for _, c := range []struct{ endpoint, region, addressing, bucket, want, cors string }{
		{"", "eu-west-1", "", "pictures", "https://pictures.s3.eu-west-1.amazonaws.com", "https://pictures.s3.eu-west-1.amazonaws.com/dir/stevedore-cors-check"},
		{"", "eu-west-1", "path", "pictures", "https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/pictures/dir/stevedore-cors-check"},
		{"", "eu-west-1", "", "my.pictures", "https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/my.pictures/dir/stevedore-cors-check"},
		{"", "cn-north-1", "", "pictures", "https://pictures.s3.cn-north-1.amazonaws.com.cn", "https://pictures.s3.cn-north-1.amazonaws.com.cn/dir/stevedore-cors-check"},
		{"", "", "", "pictures", "https://pictures.s3.us-east-1.amazonaws.com", "https://pictures.s3.us-east-1.amazonaws.com/dir/stevedore-cors-check"},
		{compatible, "", "", "b", compatible, compatible + "/b/dir/stevedore-cors-check"},
		{compatible, "", "path", "b", compatible, compatible + "/b/dir/stevedore-cors-check"},
		{compatible, "", "virtual", "pictures", "https://pictures.storage.example:9000", "https://pictures.storage.example:9000/dir/stevedore-cors-check"},
	} {
		var asked string
		handler := func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead && r.Header.Get("Authorization") == "" && c.region == "" && c.endpoint == "" {
				w.Header().Set("X-Amz-Bucket-Region", "us-east-1")
				return
			}
			asked = r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
		}
		s, secrets := storage(t, c.endpoint, c.bucket, providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"})
		s.Region, s.Addressing, s.Prefix = c.region, c.addressing, "dir/"
		b := openAt(t, http.HandlerFunc(handler), s, secrets)
		at, ok := b.(interface{ Endpoint() string })
		if !ok || at.Endpoint() != c.want {
			t.Errorf("%+v: endpoint %v", c, at.Endpoint())
		}
		target, ok := b.(interface{ CORSTarget() string })
		if !ok || target.CORSTarget() != c.cors {
			t.Errorf("%+v: CORS target %v", c, target.CORSTarget())
		}
		_, _ = b.Stat(t.Context(), "dir/stevedore-cors-check")
		if asked != c.cors {
			t.Errorf("%+v: a request went to %s", c, asked)
		}
	}
}

// Who may list only a prefix gets AccessDenied for a key that does not exist.
// That is no denial.
func TestAbsentOrForbidden(t *testing.T) {
	t.Parallel()
	b := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("list-type") {
			body := `<Contents><Key>there</Key><Size>1</Size></Contents>`
			if r.URL.Query().Get("prefix") != "there" {
				body = ""
			}
			_, _ = io.WriteString(w, listing(body))
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	})
	for key, want := range map[string]providers.Kind{"there": providers.Denied, "missing": providers.NotFound} {
		_, stat := b.Stat(t.Context(), key)
		_, get := b.Open(t.Context(), key, providers.ReadOptions{})
		if providers.KindOf(stat) != want || providers.KindOf(get) != want {
			t.Errorf("%s: %v and %v, want %s", key, stat, get, want)
		}
	}
}

// keysOf is the keys of a map in their order.
func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
