package cvat

import (
	"encoding/xml"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// element is a child of an image, as it stands in the document.
type element struct {
	kind       string // the element's name
	attrs      []xml.Attr
	attributes []annotation.Attribute
	line       int
}

// shape turns an element into a shape (CVAT-06 to CVAT-09), or
// returns its problem.
func (e element) shape(s *annotation.Schema) (annotation.Shape, *annotation.Problem) {
	kind := annotation.Kind(e.kind)
	readGeometry, supported := geometries[kind]
	if !supported {
		return annotation.Shape{}, annotation.Problemf(annotation.CodeUnsupportedShape,
			"line %d: shape %.40q is not supported", e.line, e.kind)
	}
	f := fields{attrs: e.attrs}
	place, declared := s.Find(f.text("label"))
	if !declared {
		return annotation.Shape{}, annotation.Problemf(annotation.CodeUndeclaredLabel,
			"line %d: %s with label %.80q, which is not declared", e.line, e.kind, f.text("label"))
	}

	sh := annotation.Shape{
		Kind: kind, Category: place, Occluded: f.text("occluded") == "1",
		Group: f.integer("group_id"), ZOrder: f.integer("z_order"),
	}
	readGeometry(&f, &sh)
	if f.problem != "" {
		return annotation.Shape{}, annotation.Problemf(annotation.CodeInvalidShape,
			"line %d: %s with %s", e.line, e.kind, f.problem)
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

func readMask(f *fields, sh *annotation.Shape) {
	left, top := f.integer("left"), f.integer("top")
	width, height := f.integer("width"), f.integer("height")
	m, err := annotation.NewMask(int(left), int(top), int(width), int(height))
	if err == nil {
		err = decodeRuns(m, f.text("rle"))
	}
	if err != nil {
		f.fail(err.Error())
	}
	sh.Mask = m
}
