package gcs_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
)

// openHandler opens the bucket of a server that a handler answers for.
// Requests are made twice.
func openHandler(t testing.TB, handler http.HandlerFunc) providers.Bucket {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return open(t, &gcs.Opener{Client: guarded(t), Attempts: 2}, anonymous(server.URL, "bucket"), providers.Secrets{})
}

// page makes an answer to a listing. A token means that another page
// follows.
func page(items, token string) string {
	return `{"kind":"storage#objects","nextPageToken":"` + token + `","items":[` + items + `]}`
}

func item(name string) string { return `{"name":"` + name + `","size":"1","generation":"1"}` }

// Answers that Google would never give are named as the server's fault,
// after few requests.
func TestImpossibleAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op, body, code, says string
	}{
		"NegativeSize":  {"list", page(`{"name":"k","size":"-5","generation":"1"}`, ""), "NotGCS", "not in Google Cloud Storage's format"},
		"HugeSize":      {"list", page(`{"name":"k","size":"18446744073709551615","generation":"1"}`, ""), "WrongAnswer", "a size of -1 bytes for k"},
		"NullItem":      {"list", page("null", ""), "NotGCS", "null in the place of an object"},
		"NullListing":   {"list", "null", "NotGCS", "not in Google Cloud Storage's format"},
		"NullItems":     {"list", `{"kind":"storage#objects","items":{}}`, "NotGCS", "not in Google Cloud Storage's format"},
		"Prefixes":      {"list", `{"kind":"storage#objects","prefixes":["a/"]}`, "NotGCS", "prefixes"},
		"NoName":        {"list", page("{}", ""), "WrongAnswer", "an object without a key"},
		"LongName":      {"list", page(item(strings.Repeat("k", 1025)), ""), "KeyTooLong", "a key of 1025 bytes, more than 1024"},
		"SameToken":     {"list", page("", "next"), "EndlessListing", "the same token again"},
		"TooManyOnPage": {"list", page(strings.Repeat(item("k")+",", 16_000)+item("k"), ""), "AnswerTooLarge", "more than 16000 JSON objects"},
		"NullStat":      {"stat", "null", "NotGCS", "not in Google Cloud Storage's format"},
		"NullPut":       {"put", "null", "NotGCS", "not in Google Cloud Storage's format"},
		"NullUpload":    {"upload", " null", "NotGCS", "not in Google Cloud Storage's format"},
		"EmptyPut":      {"put", "{}", "NotGCS", "not in Google Cloud Storage's format"},
		"ArrayStat":     {"stat", "[]", "NotGCS", "not in Google Cloud Storage's format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			b := openHandler(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
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

// The checks of verify-connection take null for no answer too.
func TestNullAnswersToChecks(t *testing.T) {
	t.Parallel()
	b := openHandler(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "null")
	})
	providertest.WantNoSuccess(t, b)
}

// A token that never comes back is a listing without end too.
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
	long := strings.Repeat(`,"`+strings.Repeat("x", 1000)+`":1`, 9<<10)
	b := openHandler(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case q.Get("pageToken") == "":
			_, _ = io.WriteString(w, page(item("a"), "next"))
		case q.Get("maxResults") == "1000":
			_, _ = io.WriteString(w, page(`{"name":"b","generation":"1"`+long+"}", ""))
		default:
			_, _ = io.WriteString(w, page(item("b"), ""))
		}
	})
	providertest.WantKeys(t, b, "a", "b")
}
