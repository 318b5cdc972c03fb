package export

import (
	"strconv"
	"strings"
)

// instance is a shape as COCO has it: inside its image and never empty.
type instance struct {
	shape     shape
	area      int64  // in square cents
	low, high corner // of its bbox
	ring      []corner
	runs      []uint32 // of a mask; then ring is nil
}

// instanceOf cuts a shape to its image. Nothing being left is the *problem
// (GEN-07).
func instanceOf(sh shape, h header) (instance, *problem) {
	in := instance{shape: sh}
	if sh.mask != nil {
		g := sh.mask.region(h.width, h.height)
		if g.tooRagged {
			return in, problemf(codeTooLarge, "a mask of more than %d runs", maxRuns)
		}
		in.runs, in.area = g.runs, g.area*100*100
		in.low, in.high = corner{cent(g.left) * 100, cent(g.top) * 100}, corner{cent(g.right) * 100, cent(g.below) * 100}
	} else {
		in.ring = corners(clipRing(sh.ring, float64(h.width), float64(h.height)), h.width, h.height)
		if len(in.ring) > 2 {
			in.area = area(in.ring)
			in.low, in.high = hull(in.ring)
			if sh.kind == "box" && sh.rotation == 0 { // cutting may have moved its first corner (COCO-08)
				in.ring = []corner{in.low, {in.high.x, in.low.y}, in.high, {in.low.x, in.high.y}}
			}
		}
	}
	if in.area == 0 {
		return in, problemf(codeDegenerate, "%s of which nothing is left inside the image's %dx%d pixels", sh.kind, h.width, h.height)
	}
	return in, nil
}

// crowd reports whether COCO's iscrowd is 1: a mask that has CVAT's attribute
// is_crowd. A crowd must be a mask (COCO-12), so an outline with that
// attribute stays an instance and keeps the attribute.
func (in instance) crowd() bool {
	for _, a := range in.shape.attributes {
		if a.name == "is_crowd" || a.name == "iscrowd" {
			return in.runs != nil && (a.value == "true" || a.value == "1")
		}
	}
	return false
}

// appendTo writes the annotation as one JSON object (COCO-04 to COCO-13).
func (in instance) appendTo(b []byte, id, imageID int64, h header) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), id, 10)
	b = strconv.AppendInt(append(b, `,"image_id":`...), imageID, 10)
	b = strconv.AppendInt(append(b, `,"category_id":`...), int64(in.shape.category)+1, 10)
	if in.crowd() {
		b = append(b, `,"iscrowd":1,"area":`...)
	} else {
		b = append(b, `,"iscrowd":0,"area":`...)
	}
	b = appendDecimal(b, in.area, 4)
	b = append(b, `,"bbox":[`...)
	for i, v := range []cent{in.low.x, in.low.y, in.high.x - in.low.x, in.high.y - in.low.y} {
		b = appendCents(separate(b, i), v)
	}
	b = append(b, `],"segmentation":`...)
	if in.runs != nil {
		b = strconv.AppendInt(append(b, `{"size":[`...), int64(h.height), 10)
		b = strconv.AppendInt(append(b, ','), int64(h.width), 10)
		b = appendText(append(b, `],"counts":`...), string(packRuns(in.runs)))
		b = append(b, '}')
	} else {
		b = append(b, "[["...)
		for i, c := range in.ring {
			b = appendCents(append(appendCents(separate(b, i), c.x), ','), c.y)
		}
		b = append(b, "]]"...)
	}
	return append(in.shape.appendAttributes(append(b, `,"attributes":`...)), '}')
}

func separate(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// appendAttributes writes what COCO has no field for: occluded always;
// rotation, group_id and z_order unless they are 0; and the shape's own
// attributes. One of these that bears a name already taken gets a "_" after
// it.
func (sh shape) appendAttributes(b []byte) []byte {
	b = append(b, `{"occluded":`...)
	b = strconv.AppendBool(b, sh.occluded)
	taken := map[string]bool{"occluded": true, "rotation": true, "group_id": true, "z_order": true}
	if r := cents(sh.rotation); r != 0 {
		b = appendCents(append(b, `,"rotation":`...), r)
	}
	if sh.group != 0 {
		b = strconv.AppendInt(append(b, `,"group_id":`...), sh.group, 10)
	}
	if sh.zOrder != 0 {
		b = strconv.AppendInt(append(b, `,"z_order":`...), sh.zOrder, 10)
	}
	for _, a := range sh.attributes {
		name := a.name
		for taken[name] {
			name += "_"
		}
		taken[name] = true
		b = append(appendText(append(b, ','), name), ':')
		b = a.appendValue(b)
	}
	return append(b, '}')
}

// appendValue writes a checkbox as a boolean and a number as a number where
// they are written plainly, else the text.
func (a attribute) appendValue(b []byte) []byte {
	switch {
	case a.input == "checkbox" && (a.value == "true" || a.value == "false"),
		a.input == "number" && plain(a.value):
		return append(b, a.value...)
	}
	return appendText(b, a.value)
}

// plain reports whether text is a JSON number without exponent, -0 or more
// digits than a float64 keeps (GEN-04).
func plain(text string) bool {
	digits, minus := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	switch {
	case len(whole)+len(fraction) > 15, !allDigits(whole), point && !allDigits(fraction):
		return false
	case len(whole) > 1 && whole[0] == '0':
		return false
	}
	return !minus || strings.Trim(digits, "0.") != ""
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
