package cvat

import (
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// maxNumber limits every coordinate, so that calculations cannot
// overflow.
const maxNumber = 1e7

// fields reads the XML attributes of a shape. It keeps the first
// problem that it finds.
type fields struct {
	attrs   []xml.Attr
	image   annotation.Image
	problem string // empty if all is well
	code    string // of the problem
}

func (f *fields) fail(problem string) { f.failAs(annotation.CodeInvalidShape, problem) }

func (f *fields) failAs(code, problem string) {
	if f.problem == "" {
		f.code, f.problem = code, problem
	}
}

// text returns an attribute, or an empty string if it is missing.
func (f *fields) text(name string) string { return attribute(f.attrs, name) }

func attribute(attrs []xml.Attr, name string) string {
	i := slices.IndexFunc(attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return attrs[i].Value
}

func (f *fields) number(name string) float64 { return f.parse(name, f.text(name)) }

func (f *fields) parse(name, text string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > maxNumber {
		f.fail(fmt.Sprintf("%s=%q, which is not a usable number", name, shorten(text)))
		return 0
	}
	return v
}

// rotation is optional: CVAT writes it only if there is one.
func (f *fields) rotation() float64 {
	if f.text("rotation") == "" {
		return 0
	}
	return f.number("rotation")
}

// integer is optional. The position of a mask may be written as
// 12.00.
func (f *fields) integer(name string) int64 {
	if f.text(name) == "" {
		return 0
	}
	v := f.number(name)
	if v != math.Trunc(v) {
		f.fail(fmt.Sprintf("%s=%q, which is not a whole number", name, shorten(f.text(name))))
	}
	return int64(v)
}

func (f *fields) points(name string) []annotation.Point {
	text := f.text(name)
	n := strings.Count(text, ";") + 1
	if n > annotation.MaxPoints {
		f.failAs(annotation.CodeTooLarge, fmt.Sprintf(
			"%d points, more than %d", n, annotation.MaxPoints))
		return nil
	}
	ring := make([]annotation.Point, 0, n)
	for pair := range strings.SplitSeq(text, ";") {
		x, y, ok := strings.Cut(pair, ",")
		if !ok {
			f.fail(name + " that are not x,y;x,y")
			return nil
		}
		ring = append(ring, annotation.Point{X: f.parse("x", x), Y: f.parse("y", y)})
	}
	return ring
}

// shorten cuts long foreign text for a message.
func shorten(text string) string {
	const maxText = 40
	if len(text) > maxText {
		return text[:maxText] + "..."
	}
	return text
}
