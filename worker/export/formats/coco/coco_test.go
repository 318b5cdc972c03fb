package coco

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco/cocotest"
)

func TestAppendDecimal(t *testing.T) {
	t.Parallel()
	for v, want := range map[int64]string{0: "0", 5: "0.0005", 10000: "1", -12300: "-1.23", 1234567: "123.4567", 100: "0.01"} {
		if got := string(appendDecimal(nil, v, 4)); got != want {
			t.Errorf("%d: %s, want %s", v, got, want)
		}
	}
	if got := string(appendCents(nil, annotation.Cents(-0.001))); got != "0" {
		t.Errorf("-0 is %s", got)
	}
}

func TestIsPlainNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"0": true, "-1.50": true, "12": true, "-0": false, "-0.00": false, "1e5": false, "01": false, "1.": false, ".5": false,
		"": false, "-": false, "1234567890123456": false, "NaN": false, "0.00005": true,
	} {
		if isPlainNumber(text) != want {
			t.Errorf("%q is a plain number: %v", text, !want)
		}
	}
}

func TestAppendAttributes_Names(t *testing.T) {
	t.Parallel()
	sh := annotation.Shape{Occluded: true, Attributes: []annotation.Attribute{
		{Name: "occluded", Value: "true", Type: annotation.Bool},
		{Name: "n", Value: "1e3", Type: annotation.Number}, {Name: "n", Value: "7", Type: annotation.Number},
	}}
	if got := string(appendAttributes(nil, sh)); got != `{"occluded":true,"occluded_":true,"n":"1e3","n_":7}` {
		t.Error(got)
	}
}

type writeShape = func(int, annotation.Image, annotation.Shape) (*annotation.Problem, error)

// subset returns a subset of one image of 20x10 pixels with shapes.
func subset(shapes ...annotation.Shape) (annotation.Subset, *[]*annotation.Problem) {
	im := annotation.Image{Name: "i", File: "i.png", Subset: "s", Width: 20, Height: 10}
	schema := &annotation.Schema{}
	schema.Add(annotation.Label{Name: "car"})
	var problems []*annotation.Problem
	return annotation.Subset{
		Name: "s", Schema: schema, Images: slices.Values([]annotation.Image{im}),
		Shapes: func(write writeShape) error {
			for _, sh := range shapes {
				problem, err := write(0, im, sh)
				if err != nil {
					return err
				}
				if problem != nil {
					problems = append(problems, problem)
				}
			}
			return nil
		},
	}, &problems
}

func box(x1, y1, x2, y2 float64) annotation.Shape {
	return annotation.Shape{
		Kind:    annotation.KindBox,
		Outline: []annotation.Point{{X: x1, Y: y1}, {X: x2, Y: y1}, {X: x2, Y: y2}, {X: x1, Y: y2}},
	}
}

// A shape without a part inside its image is a problem; the ids of
// the others have no gap.
func TestWrite(t *testing.T) {
	t.Parallel()
	s, problems := subset(box(1, 1, 3, 3), box(50, 1, 60, 9), box(-5, 5, 30, 30))
	var out bytes.Buffer
	if err := (Writer{}).Write(t.Context(), &out, s); err != nil {
		t.Fatal(err)
	}
	cocotest.Check(t, out.Bytes())
	f := cocotest.Parse(t, out.Bytes())
	if len(f.Annotations) != 2 || len(*problems) != 1 || !slices.Equal(f.Annotations[1].BBox, []float64{0, 5, 20, 5}) {
		t.Errorf("%s\n%v", out.Bytes(), *problems)
	}
	w, im := Writer{}, annotation.Image{Subset: "s", File: "x/i.png"}
	if w.AnnotationsPath("s") != "annotations/instances_s.json" || w.ImagePath(im) != "images/s/x/i.png" {
		t.Errorf("paths %s, %s", w.AnnotationsPath("s"), w.ImagePath(im))
	}
}

type failingWriter struct{ room int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

var errFull = errors.New("no room")

// A writer that fails ends the loop over the shapes.
func TestWrite_Fails(t *testing.T) {
	t.Parallel()
	many := make([]annotation.Shape, 10_000)
	for i := range many {
		many[i] = box(1, 1, 3, 3)
	}
	for _, room := range []int{0, 1 << 17, 1 << 19} {
		s, _ := subset(many...)
		calls, shapes := 0, s.Shapes
		s.Shapes = func(write writeShape) error {
			return shapes(func(place int, im annotation.Image, sh annotation.Shape) (*annotation.Problem, error) {
				calls++
				return write(place, im, sh)
			})
		}
		if err := (Writer{}).Write(t.Context(), &failingWriter{room}, s); !errors.Is(err, errFull) || calls >= len(many) {
			t.Errorf("room for %d bytes: %v after %d shapes", room, err, calls)
		}
	}
}

// Whatever a shape's numbers are, it becomes an annotation that keeps
// the rules, or a problem.
func FuzzShape(f *testing.F) {
	f.Add(uint8(0), 1.0, 1.0, 9.5, 9.5, 45.0, uint8(9), uint8(9))
	f.Add(uint8(0), -3.0, 4.0, 0.004, 1e7, 0.0, uint8(9), uint8(9))
	f.Add(uint8(1), 5.0, 5.0, 9e6, 0.001, 33.3, uint8(200), uint8(100))
	f.Fuzz(func(t *testing.T, kind uint8, a, b, c, d, degrees float64, width, height uint8) {
		for _, v := range []float64{a, b, c, d, degrees} {
			if !(v >= -1e7 && v <= 1e7) { // readers accept nothing else
				return
			}
		}
		sh := box(a, b, c, d)
		sh.Rotation = degrees
		centre := annotation.Point{X: a, Y: b}
		if kind%2 == 1 {
			sh.Kind, sh.Outline = annotation.KindEllipse, annotation.EllipseOutline(centre, c, d)
		}
		annotation.Rotate(sh.Outline, centre, degrees)
		W, H := int(width)+1, int(height)+1
		in, problem, err := newInstance(t.Context(), sh, W, H)
		if err != nil {
			t.Fatal(err)
		}
		if problem == nil {
			cocotest.CheckAnnotation(t, in.appendTo(nil, func(b []byte) []byte { return b }), W, H)
		}
	})
}
