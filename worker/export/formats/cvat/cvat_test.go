package cvat

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

const start = `<annotations><version>1.1</version><meta><task><labels><label><name>car</name><attributes>` +
	`<attribute><name>parked</name><input_type>checkbox</input_type></attribute>` +
	`<attribute><name>doors</name><input_type>number</input_type></attribute>` +
	`</attributes></label><label><name>wheel</name><parent>car</parent></label></labels></task></meta>`

// An error of the underlying reader is returned as it is.
func TestReader_UnderlyingError(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	text := start + `<image name="a"><box label="car"/></image></annotations>`
	for _, n := range []int{0, 20, len(start) + 3, len(text) - 5} {
		r := NewReader(io.MultiReader(strings.NewReader(text[:n]), failing{lost}))
		_, err := r.Schema()
		for err == nil {
			if _, err = r.Next(); err == nil {
				err = r.Shapes(func(annotation.Shape, *annotation.Problem) error { return nil })
			}
		}
		if !errors.Is(err, lost) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestReader_Model(t *testing.T) {
	t.Parallel()
	r := NewReader(strings.NewReader(start + `
		<image name="skipped" width="1" height="1"><box label="car"/></image>
		<image name="a" subset="train" width="20" height="10">
			<box label="car" occluded="1" xtl="3" ytl="4" xbr="1" ybr="2" group_id="5" z_order="-1"><attribute name="parked">true</attribute><attribute name="x">1</attribute></box>
			<tag label="car"/>
		</image></annotations>`))
	schema, err := r.Schema()
	if err != nil || len(schema.Labels) != 1 {
		t.Fatalf("%v, %v", schema, err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	im, err := r.Next()
	if want := (annotation.Image{Name: "a", Subset: "train", Width: 20, Height: 10}); err != nil || im != want {
		t.Errorf("%+v, %v", im, err)
	}
	var shapes []annotation.Shape
	var problems []string
	if err := r.Shapes(func(sh annotation.Shape, p *annotation.Problem) error {
		if p != nil {
			problems = append(problems, p.String())
			return nil
		}
		shapes = append(shapes, sh)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]annotation.Shape{{
		Kind: annotation.KindBox, Occluded: true, Group: 5, ZOrder: -1,
		Outline: []annotation.Point{{X: 1, Y: 2}, {X: 3, Y: 2}, {X: 3, Y: 4}, {X: 1, Y: 4}},
		Attributes: []annotation.Attribute{
			{Name: "parked", Value: "true", Type: annotation.Bool}, {Name: "x", Value: "1", Type: annotation.Text},
		},
	}}, shapes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`unsupported-shape: line 5: shape "tag" is not supported`}, problems); diff != "" {
		t.Error(diff)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestDecodeRuns_Refuses(t *testing.T) {
	t.Parallel()
	for _, rle := range []string{"", "3", "5", "-1, 5", "1, x", "9223372036854775807, 9223372036854775807", "2, 2, 1"} {
		m, err := annotation.NewMask(0, 0, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeRuns(m, rle); err == nil {
			t.Errorf("%q is accepted for 4 pixels", rle)
		}
	}
}

// FuzzShape: any text in a shape's attributes gives a shape with
// usable numbers, or a problem.
func FuzzShape(f *testing.F) {
	f.Add("box", "1", "1", "9.5", "9.5", "45")
	f.Add("box", "-3", "4", "0.004", "1e7", "")
	f.Add("polygon", "1,1;5,-9;12.555,7;-0,3", "", "", "", "")
	f.Add("ellipse", "5", "5", "9e6", "0.001", "33.3")
	f.Add("mask", "1, 2, 3", "-1", "2", "3", "2")
	names := map[string][]string{
		"box":     {"xtl", "ytl", "xbr", "ybr", "rotation"},
		"polygon": {"points"},
		"ellipse": {"cx", "cy", "rx", "ry", "rotation"},
		"mask":    {"rle", "left", "top", "width", "height"},
	}
	f.Fuzz(func(t *testing.T, kind, a, b, c, d, e string) {
		el := element{kind: kind, attrs: []xml.Attr{{Name: xml.Name{Local: "label"}, Value: "car"}}}
		for i, name := range names[kind] {
			el.attrs = append(el.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: []string{a, b, c, d, e}[i]})
		}
		var s annotation.Schema
		s.Add(annotation.Label{Name: "car"})
		sh, problem := el.shape(&s, annotation.Image{Width: 100, Height: 100})
		if problem != nil {
			if problem.Code == "" || problem.Message == "" {
				t.Fatalf("%+v", problem)
			}
			return
		}
		if (sh.Mask == nil) == (len(sh.Outline) == 0) {
			t.Fatalf("%+v has not one geometry", sh)
		}
		for _, p := range sh.Outline {
			if math.Abs(p.X) > 4*maxNumber || math.Abs(p.Y) > 4*maxNumber || math.IsNaN(p.X+p.Y) {
				t.Fatalf("%v is not usable", p)
			}
		}
	})
}
