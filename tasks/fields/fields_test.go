package fields_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	var errs fields.Errors
	if err := errs.Err("k"); err != nil {
		t.Errorf("nothing was found, and the error is %v", err)
	}
	inner := errs.In("source").In("auth")
	inner.Add("method", "%q is unknown", "x")
	errs.Add("size", "too large")
	inner.Add("", "incomplete")
	if errs.Need("key", "") || !errs.Need("other", "x") {
		t.Error("Need does not say whether there is a value")
	}
	errs.OneOf("format", "png", []string{"coco", "yolo"})

	var invalid *fields.InvalidError
	if !errors.As(errs.Err("k"), &invalid) {
		t.Fatalf("the error is %v", errs.Err("k"))
	}
	want := []fields.Error{
		{Field: "source.auth.method", Problem: `"x" is unknown`},
		{Field: "size", Problem: "too large"},
		{Field: "source.auth", Problem: "incomplete"},
		{Field: "key", Problem: "empty"},
		{Field: "format", Problem: `"png" is not supported; there is coco, yolo`},
	}
	if invalid.JobKind != "k" || !slices.Equal(invalid.Fields, want) {
		t.Errorf("found %+v, want %+v", invalid, want)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	faults := []fields.Error{{Field: "a", Problem: "empty"}, {Field: "b", Problem: "wrong"}}
	for kind, want := range map[string]string{"k": "k payload: a: empty; b: wrong", "": "a: empty; b: wrong"} {
		if got := (&fields.InvalidError{JobKind: kind, Fields: faults}).Error(); got != want {
			t.Errorf("kind %q: %q, want %q", kind, got, want)
		}
	}
}

// A fault of the prefix is reported once, with the prefix.
func TestOutput(t *testing.T) {
	t.Parallel()
	const segments = `k: has an empty, "." or ".." path segment, a backslash or a control character`
	for name, c := range map[string]struct {
		dir, key string
		want     []string
	}{
		"good":           {"cats/", "cats/a.zip", nil},
		"at the top":     {"", "a.zip", nil},
		"ending":         {"", "a.tar", []string{`k: "a.tar" must end in .zip`}},
		"outside":        {"cats/", "a.zip", []string{`k: "a.zip" is outside "cats/", the directory of the storage's prefix`}},
		"wrong":          {"cats/", "cats//a.zip", []string{segments}},
		"wrong prefix":   {"cats//", "cats//a.zip", nil},
		"wrong and else": {"cats//", "dogs//a.zip", []string{segments, `k: "dogs//a.zip" is outside "cats//", the directory of the storage's prefix`}},
	} {
		var errs fields.Errors
		errs.Output("k", c.dir, c.key, ".zip")
		var got []string
		var invalid *fields.InvalidError
		if errors.As(errs.Err("job"), &invalid) {
			for _, f := range invalid.Fields {
				got = append(got, f.String())
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
