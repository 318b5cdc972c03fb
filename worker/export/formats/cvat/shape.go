package cvat

import (
	"encoding/xml"
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// element is a child of an image, as it stands in the document.
type element struct {
	kind       string // the element's name
	attrs      []xml.Attr
	attributes []annotation.Attribute
	tooMuch    string // the limit that the attributes exceed; empty if none
	line       int
}

// add adds an attribute, unless the attributes exceed a limit. fits
// says whether its text does not.
func (e *element) add(a annotation.Attribute, fits bool) {
	switch {
	case !fits:
		e.tooMuch = fmt.Sprintf("more than %d bytes of attributes", annotation.MaxText)
	case len(e.attributes) == annotation.MaxAttributes:
		e.tooMuch = fmt.Sprintf("more than %d attributes", annotation.MaxAttributes)
	default:
		e.attributes = append(e.attributes, a)
	}
}

// shape turns an element of an image into a shape (CVAT-06 to
// CVAT-09), or returns its problem.
func (e *element) shape(
	s *annotation.Schema, im annotation.Image,
) (annotation.Shape, *annotation.Problem) {
	problem := func(code, format string, args ...any) *annotation.Problem {
		text := fmt.Sprintf(format, args...)
		return annotation.Problemf(code, "line %d: %s", e.line, text)
	}
	kind := annotation.Kind(e.kind)
	readGeometry, supported := geometries[kind]
	if !supported {
		return annotation.Shape{}, problem(annotation.CodeUnsupportedShape,
			"shape %.40q is not supported", e.kind)
	}
	f := fields{attrs: e.attrs, image: im}
	place, declared := s.Find(f.text("label"))
	switch {
	case !declared:
		return annotation.Shape{}, problem(annotation.CodeUndeclaredLabel,
			"%s with label %.80q, which is not declared", e.kind, f.text("label"))
	case e.tooMuch != "":
		return annotation.Shape{}, problem(annotation.CodeTooLarge,
			"%s with %s", e.kind, e.tooMuch)
	}

	sh := annotation.Shape{
		Kind: kind, Category: place, Occluded: f.text("occluded") == "1",
		Group: f.integer("group_id"), ZOrder: f.integer("z_order"),
	}
	readGeometry(&f, &sh)
	if f.problem != "" {
		return annotation.Shape{}, problem(f.code, "%s with %s", e.kind, f.problem)
	}
	sh.Attributes = e.attributes
	for i := range sh.Attributes {
		a := &sh.Attributes[i]
		a.Type = s.Labels[place].Attributes[a.Name]
	}
	return sh, nil
}

// geometries has a function for each kind of shape that is supported.
// Tags, points, polylines, cuboids and skeletons are not.
var geometries = map[annotation.Kind]func(*fields, *annotation.Shape){
	annotation.KindBox:     readBox,
	annotation.KindPolygon: readPolygon,
	annotation.KindEllipse: readEllipse,
	annotation.KindMask:    readMask,
}

func readBox(f *fields, sh *annotation.Shape) {
	x1, y1 := f.number("xtl"), f.number("ytl")
	x2, y2 := f.number("xbr"), f.number("ybr")
	x1, x2 = min(x1, x2), max(x1, x2)
	y1, y2 = min(y1, y2), max(y1, y2)
	sh.Rotation = f.rotation()
	sh.Outline = []annotation.Point{{X: x1, Y: y1}, {X: x2, Y: y1}, {X: x2, Y: y2}, {X: x1, Y: y2}}
	centre := annotation.Point{X: (x1 + x2) / 2, Y: (y1 + y2) / 2}
	annotation.Rotate(sh.Outline, centre, sh.Rotation)
}

func readPolygon(f *fields, sh *annotation.Shape) { sh.Outline = f.points("points") }

func readEllipse(f *fields, sh *annotation.Shape) {
	centre := annotation.Point{X: f.number("cx"), Y: f.number("cy")}
	rx, ry := f.number("rx"), f.number("ry")
	if rx <= 0 || ry <= 0 {
		f.fail("a radius that is not greater than 0")
		return
	}
	sh.Rotation = f.rotation()
	sh.Outline = annotation.EllipseOutline(centre, rx, ry)
	annotation.Rotate(sh.Outline, centre, sh.Rotation)
}
