package imagehead

import (
	"errors"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Every line of the table is complete, and no two lines claim the
// same content or name.
func TestFormats(t *testing.T) {
	t.Parallel()
	seen := map[string]head.Type{}
	claim := func(what string, by head.Type) {
		if other, ok := seen[what]; ok {
			t.Errorf("%q belongs to %s and %s", what, other, by)
		}
		seen[what] = by
	}
	for _, f := range formats {
		if f.Type == "" || len(f.Extensions) == 0 || f.Matches == nil || f.FirstRead < head.MaxSignature || f.Read == nil {
			t.Errorf("%+v is not complete", f)
		}
		for _, e := range f.Extensions {
			claim("name"+e, f.Type)
			if formatByName("X"+strings.ToUpper(e)).Type != f.Type {
				t.Errorf("%s is no name of %s", e, f.Type)
			}
		}
	}
}

// An error for an unsupported image names what it is and what is
// supported.
func TestUnsupported_Texts(t *testing.T) {
	t.Parallel()
	if !strings.HasPrefix(supported(), "jpeg, png") {
		t.Errorf("supported are %s", supported())
	}
	_, exr := parse([]byte("v/1\x01\x00\x00"))
	_, unknown := parse([]byte("something else"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{exr, "the content is openexr, which is not supported (supported: " + supported() + ")"},
		{UnsupportedName("a.RAW"), "the name ends in .RAW, which is not supported (supported: " + supported() + ")"},
		{
			RefineError("a.raw", unknown),
			"the name ends in .raw, which is not supported (supported: " + supported() + "); the content has no signature of a known image type: it starts with ",
		},
	} {
		var e *head.Error
		if !errors.As(c.err, &e) || e.Code != head.CodeUnsupported || !strings.HasPrefix(e.Error(), c.want) {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
}
