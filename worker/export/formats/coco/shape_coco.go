package coco

import (
	"strconv"

	"github.com/stevedore-jobs/stevedore/worker/asciijson"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// instance is a shape in the form that COCO has: inside its image and
// never empty.
type instance struct {
	id, imageID   int64
	width, height int // of the image
	shape         annotation.Shape
	area          int64             // in square cents
	low, high     annotation.Corner // of its bbox
	ring          []annotation.Corner
	runs          []uint32 // of a mask; ring is nil then
}

// newInstance cuts a shape to its image, whose size is in pixels. If
// nothing is left, that is a problem (GEN-07).
func newInstance(sh annotation.Shape, width, height int) (instance, *annotation.Problem) {
	in := instance{shape: sh, width: width, height: height}
	if sh.Mask != nil {
		if !in.setMask(sh.Mask) {
			return in, annotation.Problemf(annotation.CodeTooLarge,
				"a mask of more than %d runs", maxRuns)
		}
	} else {
		in.setOutline(sh)
	}
	if in.area == 0 {
		return in, annotation.Problemf(annotation.CodeDegenerateShape,
			"%s without any part inside the image's %dx%d pixels", sh.Kind, width, height)
	}
	return in, nil
}

// setMask returns false if the mask has too many runs.
func (in *instance) setMask(m *annotation.Mask) bool {
	r := newRegion(m, in.width, in.height)
	if r.tooManyRuns {
		return false
	}
	in.runs, in.area = r.runs, r.area*100*100
	in.low, in.high = cornerOf(r.left, r.top), cornerOf(r.right, r.bottom)
	return true
}

func cornerOf(x, y int) annotation.Corner {
	return annotation.Corner{X: annotation.Cent(x) * 100, Y: annotation.Cent(y) * 100}
}

func (in *instance) setOutline(sh annotation.Shape) {
	clipped := annotation.Clip(sh.Outline, float64(in.width), float64(in.height))
	in.ring = annotation.Corners(clipped, in.width, in.height)
	if len(in.ring) < 3 {
		return
	}
	in.area = annotation.Area(in.ring)
	in.low, in.high = annotation.Bounds(in.ring)
	if sh.Kind == annotation.KindBox && sh.Rotation == 0 {
		// Clipping may have changed which corner is first (COCO-08).
		in.ring = []annotation.Corner{
			in.low, {X: in.high.X, Y: in.low.Y}, in.high, {X: in.low.X, Y: in.high.Y},
		}
	}
}

// crowd reports whether COCO's iscrowd is 1: for a mask that has
// CVAT's attribute is_crowd. A crowd must be a mask (COCO-12), so an
// outline with that attribute is no crowd, and the attribute is
// written.
func (in *instance) crowd() bool {
	for _, a := range in.shape.Attributes {
		if a.Name == "is_crowd" || a.Name == "iscrowd" {
			return in.runs != nil && (a.Value == "true" || a.Value == "1")
		}
	}
	return false
}

// appendTo appends the annotation as one JSON object (COCO-04 to
// COCO-13).
func (in *instance) appendTo(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), in.id, 10)
	b = strconv.AppendInt(append(b, `,"image_id":`...), in.imageID, 10)
	b = strconv.AppendInt(append(b, `,"category_id":`...), int64(in.shape.Category)+1, 10)
	if in.crowd() {
		b = append(b, `,"iscrowd":1,"area":`...)
	} else {
		b = append(b, `,"iscrowd":0,"area":`...)
	}
	b = appendDecimal(b, in.area, 4)

	b = append(b, `,"bbox":[`...)
	b = append(appendCents(b, in.low.X), ',')
	b = append(appendCents(b, in.low.Y), ',')
	b = append(appendCents(b, in.high.X-in.low.X), ',')
	b = appendCents(b, in.high.Y-in.low.Y)

	b = in.appendSegmentation(append(b, `],"segmentation":`...))
	return append(appendAttributes(append(b, `,"attributes":`...), in.shape), '}')
}

func (in *instance) appendSegmentation(b []byte) []byte {
	if in.runs != nil {
		b = strconv.AppendInt(append(b, `{"size":[`...), int64(in.height), 10)
		b = strconv.AppendInt(append(b, ','), int64(in.width), 10)
		b = asciijson.Append(append(b, `],"counts":`...), string(packRuns(in.runs)))
		return append(b, '}')
	}
	b = append(b, "[["...)
	for i, c := range in.ring {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendCents(b, c.X), ',')
		b = appendCents(b, c.Y)
	}
	return append(b, "]]"...)
}

// appendAttributes appends what COCO has no field for: occluded
// always; rotation, group_id and z_order unless they are 0; and the
// shape's own attributes. It adds a "_" to the name of an attribute
// if the name is used already.
func appendAttributes(b []byte, sh annotation.Shape) []byte {
	b = append(b, `{"occluded":`...)
	b = strconv.AppendBool(b, sh.Occluded)
	if r := annotation.Cents(sh.Rotation); r != 0 {
		b = appendCents(append(b, `,"rotation":`...), r)
	}
	if sh.Group != 0 {
		b = strconv.AppendInt(append(b, `,"group_id":`...), sh.Group, 10)
	}
	if sh.ZOrder != 0 {
		b = strconv.AppendInt(append(b, `,"z_order":`...), sh.ZOrder, 10)
	}

	used := map[string]bool{"occluded": true, "rotation": true, "group_id": true, "z_order": true}
	for _, a := range sh.Attributes {
		name := a.Name
		for used[name] {
			name += "_"
		}
		used[name] = true
		b = append(asciijson.Append(append(b, ','), name), ':')
		b = appendValue(b, a)
	}
	return append(b, '}')
}

// appendValue appends a Bool as a JSON boolean and a Number as a JSON
// number, if its text is a plain one; else it appends the text as a
// string.
func appendValue(b []byte, a annotation.Attribute) []byte {
	switch {
	case a.Type == annotation.Bool && (a.Value == "true" || a.Value == "false"),
		a.Type == annotation.Number && isPlainNumber(a.Value):
		return append(b, a.Value...)
	}
	return asciijson.Append(b, a.Value)
}
