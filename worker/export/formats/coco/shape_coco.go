package coco

import (
	"context"
	"errors"
	"strconv"
	"strings"

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
	region        region // of a mask; ring is nil then
}

// newInstance cuts a shape to its image, whose size is in pixels. If
// nothing is left, that is a problem (GEN-07). An error is the cause of
// ctx's end.
func newInstance(
	ctx context.Context, sh annotation.Shape, width, height int,
) (instance, *annotation.Problem, error) {
	in := instance{shape: sh, width: width, height: height}
	if sh.Mask == nil {
		in.setOutline(sh)
	} else if err := in.setMask(ctx, sh.Mask); errors.Is(err, errTooManyEdges) {
		return in, annotation.Problemf(annotation.CodeTooLarge,
			"a mask of more than %d runs", annotation.MaxRuns), nil
	} else if err != nil {
		return in, nil, err
	}
	if in.area == 0 {
		return in, annotation.Problemf(annotation.CodeDegenerateShape,
			"%s without any part inside the image's %dx%d pixels", sh.Kind, width, height), nil
	}
	return in, nil, nil
}

func (in *instance) setMask(ctx context.Context, m *annotation.Mask) (err error) {
	r := &in.region
	*r, err = newRegion(ctx, m, in.width, in.height)
	in.area = r.area * 100 * 100
	in.low, in.high = cornerOf(r.left, r.top), cornerOf(r.right, r.bottom)
	return err
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
			return in.shape.Mask != nil && (a.Value == "true" || a.Value == "1")
		}
	}
	return false
}

// appendTo appends the annotation as one JSON object (COCO-04 to
// COCO-13). It gives what it has to spill again and again, and goes on
// with what spill returns.
func (in *instance) appendTo(b []byte, spill func([]byte) []byte) []byte {
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

	b = in.appendSegmentation(append(b, `],"segmentation":`...), spill)
	return append(appendAttributes(append(b, `,"attributes":`...), in.shape), '}')
}

func (in *instance) appendSegmentation(b []byte, spill func([]byte) []byte) []byte {
	if in.shape.Mask != nil {
		b = strconv.AppendInt(append(b, `{"size":[`...), int64(in.height), 10)
		b = strconv.AppendInt(append(b, ','), int64(in.width), 10)
		b = append(b, `],"counts":"`...)
		var p packer
		for run := range in.region.runs {
			b = spill(p.append(b, run))
		}
		return append(b, `"}`...)
	}
	b = append(b, "[["...)
	for i, c := range in.ring {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendCents(b, c.X), ',')
		b = spill(appendCents(b, c.Y))
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

	used := usedNames{"occluded": 1, "rotation": 1, "group_id": 1, "z_order": 1}
	for _, a := range sh.Attributes {
		b = append(asciijson.Append(append(b, ','), used.unique(a.Name)), ':')
		b = appendValue(b, a)
	}
	return append(b, '}')
}

// usedNames holds the names of attributes that are used. For each it
// has a number of "_", at least 1: with fewer behind it, the name is
// used too.
type usedNames map[string]int

// unique returns a name with as few "_" behind it as make it a new one.
func (u usedNames) unique(name string) string {
	free := name + strings.Repeat("_", u[name])
	for u[free] > 0 {
		u[name]++
		free += "_"
	}
	u[name]++
	if free != name {
		u[free] = 1
	}
	return free
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
