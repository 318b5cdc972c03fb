package boundedxml

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

var small = limits{document: 10_000, elements: 500, depth: 8, fields: 4, names: 100, token: 1000}

func newSmall(document io.Reader) *Reader {
	r := NewReader(document)
	r.limit = small
	return r
}

// odd has everything that looks like a tag and is not one.
const odd = `<?xml version="1.0"?><!-- <a> "--><a><!----><!--->--><b c="/>" d='">'/><?p a?>"<e>
	<![CDATA[<a> ]]]]><![CDATA[>]]>]</e ><f x="/" /><g></g></a><!-- -->`

func TestReader_ChangesNothing(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"", odd, strings.Repeat(" ", 1000) + odd, "\ufeff" + odd, "<a", "<!-", "<!["} {
		for name, from := range map[string]io.Reader{
			"whole": strings.NewReader(document), "byte by byte": iotest.OneByteReader(strings.NewReader(document)),
		} {
			r := newSmall(from)
			got, err := io.ReadAll(r)
			if err != nil || string(got) != document || !errors.Is(r.Err(), io.EOF) {
				t.Errorf("%s: %v, %q instead of %q", name, err, got, document)
			}
			if complete := strings.HasSuffix(document, odd); complete && (r.elements != 5 || r.depth != 0 || r.token.state != inText) {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

func TestReader_Limits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1000)
	for name, c := range map[string]struct{ document, want string }{
		"depth":          {"\n" + strings.Repeat("<a>", 9), "line 2: more than 8 XML elements inside each other"},
		"elements":       {"<a>" + strings.Repeat("<a/>", 501), "more than 500 XML elements"},
		"fields":         {"<a\n b='' c=\"\" d='' e='' f=''>", "line 2: more than 4 attributes of one XML element"},
		"element name":   {"<" + long, "more than 100 bytes in one tag beside the values"},
		"field name":     {"<a " + long, "more than 100 bytes in one tag beside the values"},
		"value":          {"<a b='" + long, "more than 1000 bytes in one tag, comment or piece of text"},
		"two values":     {"<a b='" + long[:500] + "' c='" + long[:500], "more than 1000 bytes in one tag"},
		"text":           {long + "x", "more than 1000 bytes"},
		"end tag":        {"</" + long, "more than 1000 bytes"},
		"comment":        {"<!--" + strings.Repeat("->", 600), "more than 1000 bytes"},
		"CDATA":          {"<![CDATA[" + strings.Repeat("]>", 600), "more than 1000 bytes"},
		"instruction":    {"<?" + strings.Repeat("a>", 600), "more than 1000 bytes"},
		"document":       {strings.Repeat("<!--\n-->", 1251), "line 1251: more than 10000 bytes of XML"},
		"doctype":        {"<a/>\n<!DOCTYPE a [<!ENTITY x 'y'>]>", "line 2: a DOCTYPE"},
		"inner doctype":  {"<a><b><!ELEMENT a ANY>", "a DOCTYPE"},
		"no declaration": {"<!>", "a DOCTYPE"},
	} {
		for _, from := range []io.Reader{
			strings.NewReader(c.document), iotest.OneByteReader(strings.NewReader(c.document)),
		} {
			r := newSmall(from)
			_, err := io.ReadAll(r)
			var bad *annotation.DocumentError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) || !errors.Is(r.Err(), err) {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
	}
}

// A document of any length that is within the limits passes.
func TestReader_PassesLongDocuments(t *testing.T) {
	t.Parallel()
	r := newSmall(strings.NewReader(strings.Repeat("<a b='1'>\n text</a>", 500)))
	if n, err := io.Copy(io.Discard, r); err != nil || r.depth != 0 || r.elements != 500 {
		t.Errorf("%d bytes, %v, %+v", n, err, r)
	}
}

// FuzzReader: what encoding/xml finds in a document that passes is
// within the limits.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		odd, strings.Repeat("<a>", 9), "<a b='1' c='2'/>", "<!--->-->", "<![CDATA[]]>", "<a><b></b/></a>", "<a '>'>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		r := newSmall(strings.NewReader(document))
		dec := xml.NewDecoder(r)
		elements, depth := 0, 0
		for {
			start := dec.InputOffset()
			token, err := dec.RawToken()
			if err != nil {
				return
			}
			if n := dec.InputOffset() - start; n > int64(small.token)+1 {
				t.Fatalf("a token of %d bytes", n)
			}
			switch token := token.(type) {
			case xml.StartElement:
				elements++
				depth++
				if len(token.Attr) > small.fields || len(token.Name.Local) > small.names {
					t.Fatalf("%+v", token)
				}
			case xml.EndElement:
				depth--
			case xml.Directive:
				t.Fatalf("%q", token)
			}
			if elements > small.elements || depth > small.depth {
				t.Fatalf("%d elements, %d inside each other", elements, depth)
			}
		}
	})
}

// The reader costs little beside encoding/xml.
func BenchmarkReader(b *testing.B) {
	document := strings.Repeat(`<box label="car" source="manual" xtl="10.00" ytl="20.00" xbr="30.00" ybr="40.00" z_order="0"></box>`+"\n", 10_000)
	b.SetBytes(int64(len(document)))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, NewReader(strings.NewReader(document))); err != nil {
			b.Fatal(err)
		}
	}
}
