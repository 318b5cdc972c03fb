package s3_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// object answers every GET with a status, headers and a body, and every
// HEAD with the size of s3test.Content.
func object(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
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

// whole answers with a whole object, as servers do that ignore ranges.
func whole(length, body string) http.HandlerFunc {
	return object(http.StatusOK, map[string]string{"Content-Length": length}, body)
}

// part answers with a range of an object.
func part(contentRange, body string) http.HandlerFunc {
	return object(http.StatusPartialContent, map[string]string{"Content-Range": contentRange}, body)
}

func TestOpen_ChecksTheAnswer(t *testing.T) {
	t.Parallel()
	middle := providers.ReadOptions{Offset: 3, Length: 4}
	const content = s3test.Content
	for name, c := range map[string]struct {
		opts   providers.ReadOptions
		answer http.HandlerFunc
		want   string
		kind   providers.Kind
	}{
		"Exact":                  {middle, part("bytes 3-6/10", "3456"), "3456", ""},
		"RangeIgnored":           {middle, whole("10", content), "3456", ""},
		"RangeIgnoredFromStart":  {providers.ReadOptions{Length: 4}, whole("10", content), "0123", ""},
		"RangeIgnoredPastEnd":    {providers.ReadOptions{Offset: 10}, whole("10", content), "", providers.Invalid},
		"OtherRange":             {middle, part("bytes 0-3/10", "0123"), "", providers.Unavailable},
		"ShorterRange":           {middle, part("bytes 3-4/10", "34"), "", providers.Unavailable},
		"UnreadableRange":        {middle, part("bytes */*", "3456"), "", providers.Unavailable},
		"CutBody":                {providers.ReadOptions{}, whole("10", "01234"), "01234", providers.Unavailable},
		"CutWhileSkipping":       {middle, whole("10", "01"), "", providers.Unavailable},
		"RangeShorterThanItSays": {middle, part("bytes 3-6/10", "34"), "34", providers.Unavailable},
		"CutRange": {
			middle,
			object(http.StatusPartialContent, map[string]string{"Content-Range": "bytes 3-6/10", "Content-Length": "4"}, "34"),
			"34", providers.Unavailable,
		},
		"Unsatisfiable": {
			providers.ReadOptions{Offset: 10},
			object(http.StatusRequestedRangeNotSatisfiable, nil, `<Error><Code>InvalidRange</Code></Error>`),
			"", providers.Invalid,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s3test.ReadAll(t.Context(), s3test.OpenHandler(t, c.answer), c.opts)
			if got != c.want || providers.KindOf(err) != c.kind {
				t.Errorf("got %q and %v, want %q and %q", got, err, c.want, c.kind)
			}
			var e *providers.Error
			if err != nil && (!errors.As(err, &e) || e.Op != "get" || e.Key != "k") {
				t.Errorf("got %#v", err)
			}
		})
	}
}

// Credentials that may list only a prefix get AccessDenied for a key
// that does not exist. The bucket reports it as missing, not as denied.
func TestMissingOrDenied(t *testing.T) {
	t.Parallel()
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case !q.Has("list-type"):
			s3test.WriteError(w, http.StatusForbidden, "AccessDenied", "Access Denied")
		case q.Get("prefix") == "there":
			_, _ = io.WriteString(w, s3test.Listing(s3test.Entry("there")))
		default:
			_, _ = io.WriteString(w, s3test.Listing(""))
		}
	})
	for key, want := range map[string]providers.Kind{
		"there": providers.Denied, "missing": providers.NotFound,
	} {
		_, stat := b.Stat(t.Context(), key)
		_, get := b.Open(t.Context(), key, providers.ReadOptions{})
		if providers.KindOf(stat) != want || providers.KindOf(get) != want {
			t.Errorf("%s: %v and %v, want %s", key, stat, get, want)
		}
	}
}
