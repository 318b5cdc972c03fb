package formats

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// seeds are short documents, by format.
var seeds = map[string][]string{
	tasks.FormatCVATImages: {
		`<annotations><meta><task><labels><label><name>a</name></label></labels></task></meta></annotations>`,
		`<annotations><version>1.1</version><meta><job><subset>s</subset><labels><label><name>a</name>` +
			`<attributes><attribute><name>n</name><input_type>checkbox</input_type></attribute></attributes></label></labels></job></meta>` +
			`<image name="i" width="9" height="9"><box label="a" xtl="1" ytl="1" xbr="2" ybr="2"><attribute name="n">true</attribute></box>` +
			`<polygon label="a" points="1,1;2,2"/><mask label="a" rle="0,4" width="2" height="2"/><tag/></image><image/></annotations>`,
		`<annotations><meta/><track/></annotations>`,
	},
}

// FuzzReader: the reader of each format ends with any document. Its
// errors say where the document is wrong, and its shapes are usable.
func FuzzReader(f *testing.F) {
	for i, one := range table {
		if one.reader != nil && seeds[one.name] == nil {
			f.Errorf("there are no seeds for %s", one.name)
		}
		for _, seed := range seeds[one.name] {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, document string) {
		one := table[int(i)%len(table)]
		if one.reader == nil {
			return
		}
		r := one.reader(strings.NewReader(document))
		schema, err := r.Schema()
		for n := 0; err == nil; n++ {
			if _, err = r.Next(); err == nil && n%3 < 2 { // shapes may be left unread
				err = r.Shapes(func(sh annotation.Shape, p *annotation.Problem) error {
					checkShape(t, &schema, sh, p)
					return nil
				})
			}
		}
		var bad *annotation.DocumentError
		if !errors.Is(err, io.EOF) && (!errors.As(err, &bad) || bad.Code == "" || bad.Line < 1 || bad.Fix == "") {
			t.Fatalf("%#v", err)
		}
	})
}

func checkShape(t *testing.T, s *annotation.Schema, sh annotation.Shape, p *annotation.Problem) {
	t.Helper()
	if p != nil {
		if p.Code == "" || p.Message == "" || len(p.Message) > 1000 {
			t.Fatalf("%+v", p)
		}
		return
	}
	if sh.Category < 0 || sh.Category >= len(s.Labels) || (sh.Mask == nil) == (len(sh.Outline) == 0) {
		t.Fatalf("%+v", sh)
	}
	for _, point := range sh.Outline {
		if math.IsNaN(point.X+point.Y) || math.Abs(point.X) > 1e8 || math.Abs(point.Y) > 1e8 {
			t.Fatalf("%+v", sh)
		}
	}
	if m := sh.Mask; m != nil {
		last := uint32(0)
		for i, span := range m.Spans {
			if span.Start >= span.End || i > 0 && span.Start <= last || int(span.End) > m.Width*m.Height {
				t.Fatalf("%+v", m)
			}
			last = span.End
		}
	}
}
