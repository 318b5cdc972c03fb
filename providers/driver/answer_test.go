package driver_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// closeRecorder records whether a body was closed.
type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

// A reader returns exactly what was asked for, or the answer is refused.
func TestAnswer_NewReader(t *testing.T) {
	t.Parallel()
	part := providers.ReadOptions{Offset: 2, Length: 3}
	length := func(n int64) *int64 { return &n }
	header := func(text string) *string { return &text }
	for name, c := range map[string]struct {
		body   string
		length *int64
		header *string // Content-Range
		opts   providers.ReadOptions
		want   string
		kind   providers.Kind
	}{
		"Whole":           {"012345", length(6), nil, providers.ReadOptions{}, "012345", ""},
		"Part":            {"234", length(3), header("bytes 2-4/6"), part, "234", ""},
		"RangeIgnored":    {"012345", length(6), nil, part, "234", ""},
		"BytesAfterIt":    {"012345junk", length(6), nil, providers.ReadOptions{}, "012345", ""},
		"Empty":           {"", length(0), nil, part, "", ""},
		"PastTheEnd":      {"01", length(2), nil, part, "", providers.Invalid},
		"NoLength":        {"01", nil, nil, providers.ReadOptions{}, "", providers.Unavailable},
		"AnotherRange":    {"012", length(3), header("bytes 0-2/6"), part, "", providers.Unavailable},
		"ShorterRange":    {"23", length(2), header("bytes 2-3/6"), part, "", providers.Unavailable},
		"UnreadableRange": {"234", length(3), header("bytes */6"), part, "", providers.Unavailable},
		"BodyBrokeOff":    {"23", length(3), header("bytes 2-4/6"), part, "23", providers.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &closeRecorder{Reader: strings.NewReader(c.body)}
			a := driver.Answer{Body: body, Length: c.length, Range: c.header}
			fail := func(err error) error { return providers.Failed("get", "b", "k", err) }
			r, err := a.NewReader(c.opts, fail)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(r)
				if closed := r.Close(); closed != nil {
					t.Error(closed)
				}
			}
			if string(got) != c.want || providers.KindOf(err) != c.kind {
				t.Errorf("got %q, %v; want %q, kind %q", got, err, c.want, c.kind)
			}
			if !body.closed {
				t.Error("the body was not closed")
			}
		})
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	body := io.MultiReader(strings.NewReader("abc"), &failingReader{broken})
	s := driver.NewSource(t.Context(), body)
	if _, err := io.ReadAll(s); !errors.Is(err, broken) || !errors.Is(s.Failed, broken) || s.N != 3 {
		t.Errorf("read %d bytes, failed with %v, returned %v", s.N, s.Failed, err)
	}
	s = driver.NewSource(t.Context(), strings.NewReader("abc"))
	if _, err := io.ReadAll(s); err != nil || s.Failed != nil || s.N != 3 {
		t.Errorf("read %d bytes, failed with %v, returned %v", s.N, s.Failed, err)
	}
}

type failingReader struct{ err error }

func (f *failingReader) Read([]byte) (int, error) { return 0, f.err }
