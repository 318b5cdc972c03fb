package azure_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const tenBytes = "0123456789"

// blob makes a handler that answers every GET with a status, headers and
// a body, and HEAD with the blob's size.
func blob(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ms-Request-Id", requestID)
		w.Header().Set("ETag", `"e"`)
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "10")
			return
		}
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestAnswersToRanges(t *testing.T) {
	t.Parallel()
	part := providers.ReadOptions{Offset: 3, Length: 4}
	for _, c := range []struct {
		name   string
		opts   providers.ReadOptions
		answer http.HandlerFunc
		want   string
		kind   providers.Kind
	}{
		{"Exact", part, blob(206, map[string]string{"Content-Range": "bytes 3-6/10"}, "3456"), "3456", ""},
		{"RangeIgnored", part, blob(200, nil, tenBytes), "3456", ""},
		{"RangeIgnoredFromStart", providers.ReadOptions{Length: 4}, blob(200, nil, tenBytes), "0123", ""},
		{"RangeIgnoredPastEnd", providers.ReadOptions{Offset: 10}, blob(200, nil, tenBytes), "", providers.Invalid},
		{"Unsatisfiable", providers.ReadOptions{Offset: 10}, refusal{416, "InvalidRange", "The range specified is invalid.", ""}.answer, "", providers.Invalid},
		{"OtherRange", part, blob(206, map[string]string{"Content-Range": "bytes 0-3/10"}, "0123"), "", providers.Unavailable},
		{"ShorterRange", part, blob(206, map[string]string{"Content-Range": "bytes 3-4/10"}, "34"), "", providers.Unavailable},
		{"UnreadableRange", part, blob(206, map[string]string{"Content-Range": "bytes */*"}, "3456"), "", providers.Unavailable},
		{"CutBody", providers.ReadOptions{}, blob(200, map[string]string{"Content-Length": "10"}, "01234"), "01234", providers.Unavailable},
		{"CutRange", part, blob(206, map[string]string{"Content-Range": "bytes 3-6/10", "Content-Length": "4"}, "34"), "34", providers.Unavailable},
		{"RangeShorterThanItSays", part, blob(206, map[string]string{"Content-Range": "bytes 3-6/10"}, "34"), "34", providers.Unavailable},
		{"Directory", providers.ReadOptions{}, blob(200, map[string]string{"X-Ms-Meta-Hdi_isfolder": "true"}, ""), "", providers.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, tasks.AuthSAS, serve(t, c.answer), "c", unverified().SAS())
			r, err := b.Open(t.Context(), "k", c.opts)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(r)
				_ = r.Close()
			}
			if string(got) != c.want || providers.KindOf(err) != c.kind {
				t.Errorf("got %q, %v; want %q, %q", got, err, c.want, c.kind)
			}
		})
	}
}
