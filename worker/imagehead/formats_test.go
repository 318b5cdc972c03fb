package imagehead

import (
	"errors"
	"strings"
	"testing"
)

// Every line of the table is complete, and no two lines claim the
// same content or name.
func TestFormats(t *testing.T) {
	t.Parallel()
	seen := map[string]Type{}
	claim := func(what string, by Type) {
		if other, ok := seen[what]; ok {
			t.Errorf("%q belongs to %s and %s", what, other, by)
		}
		seen[what] = by
	}
	for _, f := range formats {
		if f.is == "" || len(f.extensions) == 0 || len(f.signatures) == 0 || f.firstRead < maxSignature || f.read == nil {
			t.Errorf("%+v is not complete", f)
		}
		for _, e := range f.extensions {
			claim("name"+e, f.is)
			if ByName("x"+e) != Image || formatByName("X"+strings.ToUpper(e)).is != f.is {
				t.Errorf("%s is no name of an image that CVAT opens", e)
			}
		}
		for _, s := range f.signatures {
			claim(s.text, f.is)
		}
	}
	for _, o := range otherTypes {
		claim(o.text, o.is)
		if o.at+len(o.text) > maxSignature {
			t.Errorf("%q ends after %d bytes", o.text, maxSignature)
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
	_, psd := parse([]byte("8BPS\x00\x01\x00\x00"))
	_, unknown := parse([]byte("something else"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{psd, "the content is psd, which is not supported (supported: " + supported() + ")"},
		{UnsupportedName("a.HEIC"), "the name ends in .HEIC, which is not supported (supported: " + supported() + ")"},
		{
			RefineError("a.tga", unknown),
			"the name ends in .tga, which is not supported (supported: " + supported() + "); the content has no signature of a known image type: it starts with ",
		},
	} {
		var e *Error
		if !errors.As(c.err, &e) || e.Code != CodeUnsupported || !strings.HasPrefix(e.Error(), c.want) {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
}
