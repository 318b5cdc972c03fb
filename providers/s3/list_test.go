package s3_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// lists answers every request with a listing of the given elements.
func lists(elements ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, s3test.Listing(strings.Join(elements, "")))
	}
}

func TestList_ChecksTheAnswer(t *testing.T) {
	t.Parallel()
	const encoded, truncated = `<EncodingType>url</EncodingType>`, `<IsTruncated>true</IsTruncated>`
	a, b := s3test.Entry("A"), s3test.Entry("b")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
		kind   providers.Kind
	}{
		"Encoded":     {lists(encoded, s3test.Entry("a+b%2Bc%01")), "a b+c\x01", ""},
		"NotEncoded":  {lists(s3test.Entry("a+b%2B")), "a+b%2B", ""},
		"BadEncoding": {lists(encoded, s3test.Entry("B%zz"), s3test.Entry("b%01")), "B%zz,b\x01", ""},
		"Controls":    {lists(s3test.Entry("a\x01b"), s3test.Entry("a&#x2;&#3;&#10;c"), s3test.Entry("a&#x1F;&amp;&#38;"), s3test.Entry("b\U0010ffff")), "a\x01b,a\x02\x03\nc,a\x1f&&,b\U0010ffff", ""},
		// SeaweedFS sorts a page by its encoded keys.
		"SortedEncoded":     {lists(encoded, s3test.Entry("%C3%A9"), s3test.Entry("B"), s3test.Entry("b")), "B,b,é", ""},
		"NotSorted":         {lists(encoded, s3test.Entry("b"), s3test.Entry("%C3%A9"), s3test.Entry("B")), "b,é", providers.Invalid},
		"Directories":       {lists(encoded, s3test.Entry("a%2F1"), s3test.Entry("a-b%2F1")), "a/1,a-b/1", ""},
		"StartAfterIgnored": {lists(a, s3test.Entry("B")), "B", ""},
		"Unordered":         {lists(b, s3test.Entry("a")), "b", providers.Invalid},
		"Repeated":          {lists(b, b), "b", providers.Invalid},
		"NoToken":           {lists(b, truncated), "b", providers.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := s3test.OpenHandler(t, c.answer)
			var keys []string
			var failed error
			for o, err := range b.List(t.Context(), providers.ListOptions{After: "A"}) {
				if failed = err; err == nil {
					keys = append(keys, o.Key)
				}
			}
			if got := strings.Join(keys, ","); got != c.want || providers.KindOf(failed) != c.kind {
				t.Errorf("got %q and %v, want %q and %q", got, failed, c.want, c.kind)
			}
		})
	}
}

// A listing with the option Direct fails at once on a server that
// ignores start-after.
func TestList_DirectNeedsStartAfter(t *testing.T) {
	t.Parallel()
	b := s3test.OpenHandler(t, lists(s3test.Entry("0"), s3test.Entry("B")))
	for o, err := range b.List(t.Context(), providers.ListOptions{After: "A", Direct: true}) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != "StartIgnored" || e.Op != "list" {
			t.Errorf("got %v, %v", o, err)
		}
	}
}

// A listing that ends at a page's last key or before requests no
// further page.
func TestList_ThroughStopsPaging(t *testing.T) {
	t.Parallel()
	page := lists(s3test.Entry("A"), s3test.Entry("B"),
		`<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>`)
	for _, through := range []string{"A", "AB", "B"} {
		var pages atomic.Int64
		b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
			pages.Add(1)
			page(w, r)
		})
		for o, err := range b.List(t.Context(), providers.ListOptions{Through: through}) {
			if err != nil || o.Key > through {
				t.Errorf("through %s: %v, %v", through, o, err)
			}
		}
		if pages.Load() != 1 {
			t.Errorf("through %s: %d pages", through, pages.Load())
		}
	}
}

// pagesOf lists keys as S3 does, 1000 in a page, and counts the
// requests. A server that does not know start-after begins with the
// first key.
func pagesOf(keys []string, knowsStart bool, requests *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		after := r.FormValue("continuation-token")
		if after == "" && knowsStart {
			after = r.FormValue("start-after")
		}
		at, found := slices.BinarySearch(keys, after)
		if found {
			at++
		}
		end := min(at+1000, len(keys))
		var body strings.Builder
		for _, key := range keys[at:end] {
			body.WriteString(s3test.Entry(key))
		}
		if end < len(keys) {
			_, _ = fmt.Fprintf(&body, "<IsTruncated>true</IsTruncated>"+
				"<NextContinuationToken>%s</NextContinuationToken>", keys[end-1])
		}
		_, _ = io.WriteString(w, s3test.Listing(body.String()))
	}
}

func TestList_InParallel(t *testing.T) {
	t.Parallel()
	keys := make([]string, 20_500)
	for i := range keys {
		keys[i] = fmt.Sprintf("images/%06d.jpg", i)
	}
	for name, knowsStart := range map[string]bool{"StartAfter": true, "StartAfterIgnored": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server := s3test.OpenHandler(t, pagesOf(keys, knowsStart, &requests))
			b := fastlist.WithParallelListing(server, 8)
			var got []string
			for o, err := range b.List(t.Context(), providers.ListOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, o.Key)
			}
			if !slices.Equal(got, keys) || requests.Load() > 21+3+16 {
				t.Errorf("%d keys, %d requests", len(got), requests.Load())
			}
		})
	}
}

const expressSession = `<CreateSessionResult><Credentials><AccessKeyId>AKIA</AccessKeyId>` +
	`<SecretAccessKey>session</SecretAccessKey><SessionToken>token</SessionToken>` +
	`<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>`

// directoryBucket lists as the directory buckets of S3 Express do:
// directory by directory, and only a directory at a time.
func directoryBucket(t *testing.T, keys ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("session") { // its requests are signed with a session
			_, _ = io.WriteString(w, expressSession)
			return
		}
		prefix := r.FormValue("prefix")
		if r.FormValue("start-after") != "" || prefix != "" && !strings.HasSuffix(prefix, "/") {
			t.Errorf("a directory bucket cannot answer %s", r.URL.RawQuery)
		}
		var body strings.Builder
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				body.WriteString(s3test.Entry(key))
			}
		}
		_, _ = io.WriteString(w, s3test.Listing(body.String()))
	}
}

func TestList_DirectoryBucket(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(directoryBucket(t, "a/1.jpg", "a/2.jpg", "a-b/1.jpg", "a-b/2.jpg", "a.jpg"))
	t.Cleanup(server.Close)
	storage, secrets := s3test.Storage(t, server.URL, "b--use1-az4--x-s3", s3test.Keys())
	b := s3test.Open(t, &s3.Opener{}, storage, secrets)
	for _, c := range []struct {
		opts providers.ListOptions
		want string
	}{
		{providers.ListOptions{}, "a/1.jpg a/2.jpg a-b/1.jpg a-b/2.jpg a.jpg"},
		{providers.ListOptions{After: "a/1.jpg", Through: "a-b/1.jpg"}, "a/2.jpg a-b/1.jpg"},
		{providers.ListOptions{After: "a/1.jpg", Through: "a/2.jpg"}, "a/2.jpg"},
		{providers.ListOptions{Prefix: "a-b/2"}, "a-b/2.jpg"},
		{providers.ListOptions{Prefix: "a"}, "a/1.jpg a/2.jpg a-b/1.jpg a-b/2.jpg a.jpg"},
	} {
		keys, err := providertest.Keys(t.Context(), b, c.opts)
		if got := strings.Join(keys, " "); got != c.want || err != nil {
			t.Errorf("%+v: %q, %v; want %q", c.opts, got, err, c.want)
		}
	}
	if order := providers.OrderOf(b); order != keyorder.Directories|keyorder.DirectoriesUTF16 {
		t.Errorf("found %s", order)
	}
	_, err := providertest.Keys(t.Context(), b, providers.ListOptions{After: "a", Direct: true})
	var e *providers.Error
	if !errors.As(err, &e) || e.Code != "StartIgnored" {
		t.Errorf("direct: %v", err)
	}
}

// A server that ignores start-after is asked for less once that is
// known.
func TestList_StartIgnoredNarrowsThePrefix(t *testing.T) {
	t.Parallel()
	var prefixes []string
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
		prefixes = append(prefixes, r.FormValue("prefix"))
		if r.FormValue("prefix") == "z/" {
			lists(s3test.Entry("z/1"), s3test.Entry("z/2"), s3test.Entry("z/3"))(w, r)
			return
		}
		lists(s3test.Entry("a"), s3test.Entry("b"),
			`<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>`)(w, r)
	})
	keys, err := providertest.Keys(t.Context(), b, providers.ListOptions{After: "z/1", Through: "z/2"})
	if !slices.Equal(keys, []string{"z/2"}) || err != nil || !slices.Equal(prefixes, []string{"", "z/"}) {
		t.Errorf("listed %q, %v; asked for %q", keys, err, prefixes)
	}
}
