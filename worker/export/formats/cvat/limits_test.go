package cvat

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// repeated is a document: its head, and then the same text many times.
func repeated(head, again string, n int) io.Reader {
	readers := []io.Reader{strings.NewReader(head)}
	block := strings.Repeat(again, 1000)
	for range n / 1000 {
		readers = append(readers, strings.NewReader(block))
	}
	return io.MultiReader(readers...)
}

// readAll reads a document to its end, and returns the problems of its
// shapes.
func readAll(document io.Reader) (problems []string, err error) {
	r := NewReader(document)
	_, err = r.Schema()
	for err == nil {
		if _, err = r.Next(); err == nil {
			err = r.Shapes(func(_ annotation.Shape, p *annotation.Problem) error {
				if p != nil && len(problems) < 10 {
					problems = append(problems, p.String())
				}
				return nil
			})
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return problems, err
}

// A document beyond a limit ends with the limit, the line and the
// image.
func TestReader_DocumentLimits(t *testing.T) {
	t.Parallel()
	const image = start + "\n\n" + `<image name="a.jpg" width="9" height="9">` + "\n"
	long := strings.Repeat("x", 1025)
	for name, c := range map[string]struct {
		document io.Reader
		want     string
	}{
		"nesting":          {repeated(image, "<a>", 1000), `line 4: image "a.jpg": more than 64 XML elements inside each other`},
		"nested labels":    {repeated("<annotations><meta><task>", "<a>", 1000), "line 1: more than 64 XML elements"},
		"tag":              {repeated(image+"<box a='", strings.Repeat("x", 1000), 10_000), `image "a.jpg": more than 8388608 bytes in one tag`},
		"fields":           {repeated(image+"<box", " label='car'", 1000), `image "a.jpg": more than 100 attributes of one XML element`},
		"shapes":           {repeated(image, "<box/>\n", 101_000), `line 100004: image "a.jpg": more than 100000 shapes on one image`},
		"labels":           {repeated("<annotations><meta><task><labels>", "<label/>", 51_000), "more than 50000 labels"},
		"label attributes": {repeated("<annotations><meta><task><labels><label><attributes>", "<attribute/>", 51_000), "more than 50000 attributes of labels"},
		"label name":       {strings.NewReader("<annotations><meta><task><labels><label>\n<name>" + long + "</name>"), "line 2: more than 1024 bytes in a label's name"},
		"label names":      {repeated("<annotations><meta><task><labels>", "<label><name>"+long[:1024]+"</name></label>", 5000), "more than 4194304 bytes in the names of labels"},
		"attribute names":  {repeated("<annotations><meta><task><labels><label><attributes>", "<attribute><name>"+long[:1024]+"</name></attribute>", 5000), "more than 4194304 bytes in the names of labels"},
		"a part's name":    {strings.NewReader("<annotations><meta><task><labels><label><parent>" + long + "</parent>"), "more than 1024 bytes in a label's name"},
		"attribute name":   {strings.NewReader("<annotations><meta><job><labels><label><attributes><attribute><name>" + long + "</name>"), "an attribute's name"},
		"attribute type":   {strings.NewReader("<annotations><meta><job><labels><label><attributes><attribute><input_type>" + long + "</input_type>"), "an attribute's type"},
		"subset name":      {strings.NewReader("<annotations><meta><task><subset>" + long + "</subset>"), "a subset's name"},
		"version":          {strings.NewReader("<annotations><version>" + long + "</version>"), "the version"},
		"text in pieces":   {strings.NewReader("<annotations><version>" + strings.Repeat("x<!-- -->", 2000) + "</version>"), "the version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(c.document)
			var e *annotation.DocumentError
			if !errors.As(err, &e) || !strings.Contains(e.Error(), c.want) || e.Line == 0 || e.Fix == "" {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A shape beyond a limit is left out, and its problem names the limit
// and the line.
func TestReader_ShapeLimits(t *testing.T) {
	t.Parallel()
	attributes := func(n int, name, value string) string {
		return `<box label="car" xtl="1" ytl="1" xbr="2" ybr="2">` +
			strings.Repeat(`<attribute name="`+name+`">`+value+`</attribute>`, n) + "</box>"
	}
	mask := func(width, height int, rle string) string {
		return fmt.Sprintf(`<mask label="car" left="-1" top="0" width="%d" height="%d" rle="%s"/>`, width, height, rle)
	}
	for name, c := range map[string]struct{ shape, want string }{
		"most attributes":    {attributes(1000, "a", "b"), ""},
		"attributes":         {attributes(1001, "a", "b"), "too-large: line 3: box with more than 1000 attributes"},
		"attribute text":     {attributes(3, "a", strings.Repeat("x", 100_000)), "box with more than 262144 bytes of attributes"},
		"attribute names":    {attributes(3, strings.Repeat("x", 100_000), "a"), "box with more than 262144 bytes of attributes"},
		"text in pieces":     {attributes(1, "a", strings.Repeat("<!-- -->"+strings.Repeat("x", 1000), 300)), "262144"},
		"most points":        {`<polygon label="car" points="` + strings.Repeat("1,1;", 199_999) + `1,1"/>`, ""},
		"points":             {`<polygon label="car" points="` + strings.Repeat("1,1;", 200_000) + `1,1"/>`, "too-large: line 3: polygon with 200001 points, more than 200000"},
		"mask as its image":  {mask(10, 10, "100"), ""},
		"mask":               {mask(11, 10, "110"), "too-large: line 3: mask with a box of 11x10 pixels, more than the 100 of its image"},
		"wide mask":          {mask(9_000_000, 9_000_000, "1"), "a box of 9000000x9000000 pixels"},
		"runs":               {mask(10, 10, strings.Repeat("0,", 2_097_000)+"1"), "fewer pixels"},
		"too many runs":      {mask(10, 10, strings.Repeat(",", 2_097_152)), "too-large: line 3: mask with an rle of more than 2097152 runs"},
		"infinite number":    {`<box label="car" xtl="1e999" ytl="1" xbr="2" ybr="2"/>`, `invalid-shape: line 3: box with xtl="1e999"`},
		"no number":          {`<polygon label="car" points="1,1;NaN,1;2,2"/>`, `x="NaN", which is not a usable number`},
		"a long number":      {`<box label="car" xtl="` + strings.Repeat("1", 100_000) + `" ytl="1" xbr="2" ybr="2"/>`, "111...\", which is not a usable number"},
		"negative mask size": {mask(-10, -10, "100"), "not greater than 0"},
		"unknown shapes":     {"<" + strings.Repeat("x", 1000) + "/>", "xxx\" is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems, err := readAll(strings.NewReader(start + "\n" +
				`<image name="a" width="10" height="10">` + "\n" + c.shape + "</image></annotations>"))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(problems, "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) || len(got) > 500 {
				t.Errorf("%.500s, want %s", got, c.want)
			}
		})
	}
}
