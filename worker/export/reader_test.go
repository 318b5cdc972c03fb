package export

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// A document that is no CVAT for images 1.1 ends the job with a code, a line
// and a fix.
func TestMalformed(t *testing.T) {
	t.Parallel()
	meta := func(labels string) string {
		return "<annotations><version>1.1</version><meta><task><labels>" + labels + "</labels></task></meta></annotations>"
	}
	label := func(name string) string { return "<label><name>" + name + "</name></label>" }
	sub := func(a, b string) string {
		return strings.Replace(meta(label("a")), "</annotations>", `<image name="a" subset="`+a+`"/><image name="b" subset="`+b+`"/></annotations>`, 1)
	}
	for name, c := range map[string]struct{ document, code, detail string }{
		"empty":          {"", "MalformedAnnotations", "line 1"},
		"zip":            {"PK\x03\x04\x14", "MalformedAnnotations", "line 1"},
		"json":           {`{"images":[]}`, "MalformedAnnotations", "ends early"},
		"root":           {"<a></a>", "MalformedAnnotations", "root"},
		"cut off":        {strings.TrimSuffix(document(imageXML("i", 1, 1)), "</annotations>\n"), "MalformedAnnotations", "unexpected EOF"},
		"mismatch":       {"<annotations>\n<meta>\n</annotations>", "MalformedAnnotations", "line 3"},
		"entity":         {strings.Replace(document(), "car", "&car;", 1), "MalformedAnnotations", "entity"},
		"doctype":        {"<!DOCTYPE a [<!ENTITY x 'y'>]>" + meta(label("a")), "MalformedAnnotations", "DOCTYPE"},
		"late doctype":   {meta(label("a")) + "<b/>", "MalformedAnnotations", "content after"},
		"encoding":       {`<?xml version="1.0" encoding="shift_jis"?>` + meta(label("a")), "MalformedAnnotations", "shift_jis"},
		"version":        {strings.Replace(document(), "1.1", "1.0", 1), "MalformedAnnotations", `"1.0"`},
		"no meta":        {"<annotations><image/></annotations>", "MalformedAnnotations", "meta"},
		"no labels":      {meta(""), "MalformedAnnotations", "labels"},
		"video":          {strings.Replace(document(), "</annotations>", "<track/></annotations>", 1), "NotImageAnnotations", "track"},
		"empty label":    {meta(label("")), "InvalidLabel", `""`},
		"padded label":   {meta(label(" a")), "InvalidLabel", `" a"`},
		"label twice":    {meta(label("a") + label("a")), "InvalidLabel", `"a"`},
		"subset path":    {sub("../x", "b"), "InvalidSubset", "file name"},
		"subset case":    {sub("Train", "train"), "InvalidSubset", "case"},
		"bad characters": {"<annotations>\x01</annotations>", "MalformedAnnotations", "character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newWorld(t, c.document, nil).run(context.Background())
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != c.code || e.Fix == "" || e.Key != "annotations.xml" {
				t.Fatalf("%#v", err)
			}
			if !strings.Contains(e.Detail, c.detail) || !strings.HasPrefix(e.Detail, "line ") {
				t.Errorf("detail %q, wanted %q in it", e.Detail, c.detail)
			}
		})
	}
}

func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	newWorld(t, "\ufeff"+document(imageXML("i", 1, 1))+"<!-- end -->", map[string][]byte{"i": testPNG(1, 1)}).export()
}

// endless is a document that never ends: its head, then the same text again
// and again.
type endless struct{ head, again string }

func (e *endless) Read(p []byte) (int, error) {
	if e.head == "" {
		e.head = e.again
	}
	n := copy(p, e.head)
	e.head = e.head[n:]
	return n, nil
}

func TestBudget(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ head, again, want string }{
		"attribute": {`<annotations a="`, strings.Repeat("x", 1<<16), "one element"},
		"meta":      {"<annotations><meta>", strings.Repeat("<x></x>", 1<<13), "one element"},
		"shapes":    {strings.TrimSuffix(document(), "</annotations>\n") + "<image>", strings.Repeat("<box/>", 1<<13), "more than 100000 shapes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReader(&endless{c.head, c.again})
			r.budget.element, r.budget.each = 1<<20, 1<<20
			err := r.readSchema()
			if err == nil {
				if _, err = r.next(); err == nil {
					err = r.elements(func(element) error { return nil })
				}
			}
			var m *malformed
			if !errors.As(err, &m) || m.code != "TooLarge" || !strings.Contains(m.detail, c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	b := &budget{r: &endless{"", "x"}, total: 10, element: 100}
	if n, err := io.Copy(io.Discard, b); !errors.Is(err, errBudget) || n > 11 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// FuzzReader: whatever the bytes, reading ends without a panic, and every
// shape that is accepted becomes an annotation that keeps the rules, or a
// problem.
func FuzzReader(f *testing.F) {
	full, _ := fixture()
	f.Add([]byte(full))
	f.Add([]byte(document(imageXML("i", 9, 9, `<skeleton label="car"><points/></skeleton>`, `<tag label="car"/>`))))
	f.Add([]byte(document(imageXML("i", 9, 9, `<ellipse label="car" cx="5" cy="5" rx="9e6" ry="0.001" rotation="45"/>`))))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader(strings.NewReader(string(data)))
		if r.readSchema() != nil {
			return
		}
		for {
			h, err := r.next()
			if err != nil {
				return
			}
			if im := newImage(h); im.out || h.width*h.height > 1<<20 {
				continue
			}
			if r.elements(func(e element) error { checkShape(t, e, r.schema, h); return nil }) != nil {
				return
			}
		}
	})
}

func checkShape(t *testing.T, e element, s schema, h header) {
	sh, bad := shapeOf(e, s)
	if bad != nil {
		return
	}
	in, bad := instanceOf(sh, h)
	if bad != nil {
		return
	}
	text := in.appendTo(nil, 1, 1, h)
	a := parseCOCO(t, []byte(`{"annotations":[`+string(text)+`]}`)).Instances[0]
	if !plainText(append(text, '\n')) || a.Area == nil || !boxInside(a, cocoImage{Width: h.width, Height: h.height}) {
		t.Fatalf("%s", text)
	}
	for _, ring := range a.polygon() {
		for i, v := range ring {
			if limit := []int{h.width, h.height}[i%2]; v < 0 || v > float64(limit) || math.IsNaN(v) {
				t.Fatalf("%v is outside: %s", v, text)
			}
		}
	}
	if a.mask().Counts == "" && !goodRings(a.polygon()) || !goodMask(a, cocoImage{Width: h.width, Height: h.height}) {
		t.Fatalf("%s", text)
	}
}
