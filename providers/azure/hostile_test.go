package azure_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// openHandler opens the container of a server that a handler answers
// for, as the blob service would.
func openHandler(t testing.TB, handler http.HandlerFunc) providers.Bucket {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Ms-Request-Id", "1")
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return openOnce(t, server.URL+"/devstoreaccount1", "sv=2022-11-02&sig=c2ln")
}

// page makes an answer to a listing. A marker means that another page
// follows.
func page(blobs, marker string) string {
	return `<EnumerationResults><Blobs>` + blobs + `</Blobs><NextMarker>` + marker + `</NextMarker></EnumerationResults>`
}

func item(name string) string {
	return "<Blob><Name>" + name + "</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>"
}

// Answers that Azure would never give are named as the server's fault,
// after few requests.
func TestImpossibleAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op     string
		status int
		body   string
		code   string
		says   string
	}{
		"NegativeSize":  {"list", 200, page("<Blob><Name>k</Name><Properties><Content-Length>-5</Content-Length></Properties></Blob>", ""), "WrongAnswer", "a size of -5 bytes for k"},
		"NoProperties":  {"list", 200, page("<Blob><Name>k</Name></Blob>", ""), "NotAzureBlob", "not a listing"},
		"NoName":        {"list", 200, page("<Blob><Name></Name><Properties/></Blob>", ""), "WrongAnswer", "an object without a key"},
		"LongName":      {"list", 200, page(item(strings.Repeat("本", 1025)), ""), "KeyTooLong", "a key of 1025 characters, more than 1024"},
		"SameMarker":    {"list", 200, page("", "next"), "EndlessListing", "the same token again"},
		"TooManyOnPage": {"list", 200, page(strings.Repeat(item("k"), 10_001), ""), "AnswerTooLarge", "more than 10000 objects"},
		"PutNoETag":     {"put", 201, "", "NotAzureBlob", "no ETag"},
		"PutWithBody":   {"put", 201, strings.Repeat("x", 65<<10), "AnswerTooLarge", "more than 64 KiB"},
		"UploadNoETag":  {"upload", 201, "", "NotAzureBlob", "no ETag"},
		"StatNoETag":    {"stat", 200, "", "NotAzureBlob", "no ETag"},
		"GetNoETag":     {"get", 200, "content", "NotAzureBlob", "no ETag"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			b := openHandler(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				_, _ = io.Copy(io.Discard, r.Body) // else the connection may end while the client writes
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			err := providertest.Operation(t.Context(), b, c.op)
			providertest.WantServerFault(t, err, c.code, c.says)
			if n := requests.Load(); n > 6 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// Azure counts characters, not bytes.
func TestLongestKey(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("本", 1024)
	b := openHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, page(item(key), ""))
	})
	providertest.WantKeys(t, b, key)
}

// A marker that never comes back is a listing without end too.
func TestEndlessEmptyPages(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	b := openHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, page("", fmt.Sprint(requests.Add(1))))
	})
	err := providertest.Operation(t.Context(), b, "list")
	providertest.WantServerFault(t, err, "EndlessListing", "more than 1000 pages without objects")
	if n := requests.Load(); n != 1001 {
		t.Errorf("%d requests", n)
	}
}

// A page that is too large is asked for again, with fewer objects.
func TestShortPages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<x>"+strings.Repeat("x", 1000)+"</x>", 13<<10)
	b := openHandler(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case q.Get("marker") == "":
			_, _ = io.WriteString(w, page(item("a"), "next"))
		case q.Get("maxresults") == "":
			_, _ = io.WriteString(w, page(item("b")+long, ""))
		default:
			_, _ = io.WriteString(w, page(item("b"), ""))
		}
	})
	providertest.WantKeys(t, b, "a", "b")
}
