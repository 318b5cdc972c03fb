package export

import (
	"encoding/xml"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxNumber bounds every coordinate, so that no arithmetic on them can
// overflow.
const maxNumber = 1e7

// shapeOf reads one child of an image (CVAT-06 to CVAT-09). What is wrong
// with it is the *problem.
func shapeOf(e element, s schema) (shape, *problem) {
	outline, known := outlines[e.kind]
	if !known {
		return shape{}, problemf(codeUnsupported, "line %d: COCO instances hold no %.40q", e.line, e.kind)
	}
	f := fields{attrs: e.attrs}
	sh := shape{kind: e.kind, occluded: f.text("occluded") == "1"}
	place, ok := s.places[f.text("label")]
	if !ok {
		return shape{}, problemf(codeLabel, "line %d: %s with label %.80q, which is not declared", e.line, e.kind, f.text("label"))
	}
	sh.category = place
	sh.group, sh.zOrder = f.integer("group_id"), f.integer("z_order")
	outline(&f, &sh)
	if f.bad != "" {
		return shape{}, problemf(codeShape, "line %d: %s with %s", e.line, e.kind, f.bad)
	}
	sh.attributes = e.attributes
	for i := range sh.attributes {
		sh.attributes[i].input = s.labels[place].inputs[sh.attributes[i].name]
	}
	return sh, nil
}

// outlines says how each kind of shape that COCO instances can hold is read.
// Tags, points, polylines, cuboids and skeletons are not among them.
var outlines = map[string]func(*fields, *shape){
	"box":     boxOutline,
	"polygon": func(f *fields, sh *shape) { sh.ring = f.points("points") },
	"ellipse": ellipseOutline,
	"mask":    func(f *fields, sh *shape) { sh.mask = f.mask() },
}

func boxOutline(f *fields, sh *shape) {
	x1, y1, x2, y2 := f.number("xtl"), f.number("ytl"), f.number("xbr"), f.number("ybr")
	x1, x2 = min(x1, x2), max(x1, x2)
	y1, y2 = min(y1, y2), max(y1, y2)
	sh.rotation = f.rotation()
	sh.ring = []point{{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}}
	turn(sh.ring, point{(x1 + x2) / 2, (y1 + y2) / 2}, sh.rotation)
}

func ellipseOutline(f *fields, sh *shape) {
	centre, rx, ry := point{f.number("cx"), f.number("cy")}, f.number("rx"), f.number("ry")
	if rx <= 0 || ry <= 0 {
		f.fault("a radius that is not greater than 0")
		return
	}
	sh.rotation = f.rotation()
	sh.ring = ellipse(centre, rx, ry)
	turn(sh.ring, centre, sh.rotation)
}

// fields reads the XML attributes of a shape and remembers the first that is
// not what it must be.
type fields struct {
	attrs []xml.Attr
	bad   string
}

func (f *fields) fault(text string) {
	if f.bad == "" {
		f.bad = text
	}
}

func (f *fields) text(name string) string {
	i := slices.IndexFunc(f.attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return f.attrs[i].Value
}

func (f *fields) number(name string) float64 { return f.parse(name, f.text(name)) }

func (f *fields) parse(name, text string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > maxNumber {
		f.fault(name + "=" + strconv.Quote(brief(text)) + ", which is no usable number")
		return 0
	}
	return v
}

// rotation is optional; CVAT writes it only when there is one.
func (f *fields) rotation() float64 {
	if f.text("rotation") == "" {
		return 0
	}
	return f.number("rotation")
}

// integer is optional; a mask's position may be written as 12.00.
func (f *fields) integer(name string) int64 {
	if f.text(name) == "" {
		return 0
	}
	v := f.number(name)
	if v != math.Trunc(v) {
		f.fault(name + "=" + strconv.Quote(brief(f.text(name))) + ", which is no whole number")
	}
	return int64(v)
}

func (f *fields) points(name string) []point {
	var ring []point
	for pair := range strings.SplitSeq(f.text(name), ";") {
		x, y, ok := strings.Cut(pair, ",")
		if !ok {
			f.fault(name + " that are not x,y;x,y")
			return nil
		}
		ring = append(ring, point{f.parse("x", x), f.parse("y", y)})
	}
	return ring
}

func (f *fields) mask() *mask {
	m := &mask{
		left: int(f.integer("left")), top: int(f.integer("top")),
		width: int(f.integer("width")), height: int(f.integer("height")),
	}
	switch {
	case m.width < 1 || m.height < 1:
		f.fault("a width or height that is not greater than 0")
	case m.width > maxMask/m.height:
		f.fault("more pixels than this worker handles, " + strconv.Itoa(maxMask))
	default:
		if err := m.decode(f.text("rle")); err != nil {
			f.fault(err.Error())
		}
	}
	return m
}

// brief shortens foreign text for a message.
func brief(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}
