package dataset_test

import (
	"encoding/xml"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
)

// cvat is the part of the annotations that these tests read. It does
// not use the types that wrote them.
type cvat struct {
	Version string   `xml:"version"`
	Size    int      `xml:"meta>task>size"`
	Labels  []string `xml:"meta>task>labels>label>name"`
	Images  []struct {
		ID     int    `xml:"id,attr"`
		Name   string `xml:"name,attr"`
		Width  int    `xml:"width,attr"`
		Height int    `xml:"height,attr"`
		Shapes []node `xml:",any"`
	} `xml:"image"`
}

type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
}

func (n node) text(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n node) num(name string) float64 {
	v, err := strconv.ParseFloat(n.text(name), 64)
	if err != nil && n.text(name) != "" {
		return math.NaN()
	}
	return v
}

func parse(t *testing.T, d drawn) cvat {
	t.Helper()
	var doc cvat
	if err := xml.Unmarshal(d.files[dataset.AnnotationsKey], &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func checkAnnotations(t *testing.T, d drawn) {
	doc := parse(t, d)
	if doc.Version != "1.1" || doc.Size != len(dataset.Images()) || !slices.Equal(doc.Labels, dataset.Labels()) {
		t.Errorf("version %q, size %d, labels %q", doc.Version, doc.Size, doc.Labels)
	}
	forms, labels := map[string]int{}, map[string]int{}
	for i, m := range doc.Images {
		want := dataset.Images()[i]
		if m.ID != i || m.Name != want.Key || m.Width != want.Width || m.Height != want.Height || len(m.Shapes) != len(want.Objects) {
			t.Errorf("image %d is %d %q, %d by %d with %d shapes, want %+v", i, m.ID, m.Name, m.Width, m.Height, len(m.Shapes), want)
		}
		for _, n := range m.Shapes {
			forms[n.XMLName.Local]++
			labels[n.text("label")]++
			var order []string
			for _, a := range n.Attrs {
				order = append(order, a.Name.Local)
			}
			if !slices.Equal(order[:3], []string{"label", "source", "occluded"}) || order[len(order)-1] != "z_order" {
				t.Errorf("%s: attributes in the order %q", m.Name, order)
			}
		}
	}
	if len(forms) != 4 || forms["box"] == 0 || forms["polygon"] == 0 || forms["ellipse"] == 0 || forms["mask"] == 0 {
		t.Errorf("the shapes are %v, want boxes, polygons, ellipses and masks", forms)
	}
	if used := len(dataset.Labels()) - 1; len(labels) != used || labels["hexagon"] != 0 {
		t.Errorf("the labels in use are %v, want the first %d", labels, used)
	}
}

// checkObjects compares every annotation with the pixels of the
// displayed image: well inside they have the object's colour, well
// outside they do not.
func checkObjects(t *testing.T, d drawn) {
	for i, m := range parse(t, d).Images {
		picture := d.displayed(t, m.Name)
		for j, n := range m.Shapes {
			inside, box := area(t, n)
			if !box.In(picture.Bounds()) {
				t.Errorf("%s, %d: %v is not on the image", m.Name, j, box)
			}
			compare(t, picture, sample{m.Name, dataset.Images()[i].Objects[j].Colour, inside, box})
		}
	}
}

// sample is one annotated object: its colour, its area and the box
// around it.
type sample struct {
	name   string
	colour color.RGBA
	inside func(x, y float64) bool
	box    image.Rectangle
}

func compare(t *testing.T, picture image.Image, s sample) {
	t.Helper()
	const margin = 3 // pixels on either side of the edge, where JPEG blurs the colours
	var in, wrongIn, out, wrongOut int
	around := s.box.Inset(-8).Intersect(picture.Bounds())
	step := 1 + around.Dx()/150
	for y := around.Min.Y; y < around.Max.Y; y += step {
		for x := around.Min.X; x < around.Max.X; x++ {
			near := 0
			for dy := -margin; dy <= margin; dy += margin {
				for dx := -margin; dx <= margin; dx += margin {
					if s.inside(float64(x+dx)+0.5, float64(y+dy)+0.5) {
						near++
					}
				}
			}
			has := alike(picture.At(x, y), s.colour)
			switch near {
			case 9:
				in++
				wrongIn += count(!has)
			case 0:
				out++
				wrongOut += count(has)
			}
		}
	}
	if in < 300 || wrongIn > in/200 || out < 300 || wrongOut > out/50 {
		t.Errorf("%s, %v in %v: %d of %d pixels inside have another colour, %d of %d outside have this one",
			s.name, s.colour, s.box, wrongIn, in, wrongOut, out)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// alike reports whether a pixel has a colour, in light or shade.
func alike(p color.Color, c color.RGBA) bool {
	r, g, b, a := p.RGBA()
	px := [3]float64{float64(r >> 8), float64(g >> 8), float64(b >> 8)}
	want := [3]float64{float64(c.R), float64(c.G), float64(c.B)}
	var dot, norm float64
	for i := range px {
		dot += px[i] * want[i]
		norm += want[i] * want[i]
	}
	light := min(max(dot/norm, 0.84), 1.08)
	var off float64
	for i := range px {
		off += (px[i] - light*want[i]) * (px[i] - light*want[i])
	}
	return a > 0x8000 && math.Sqrt(off) < 24
}

// area returns where an annotation says the object is, and the upright
// box around it.
func area(t *testing.T, n node) (func(x, y float64) bool, image.Rectangle) {
	t.Helper()
	switch n.XMLName.Local {
	case "box":
		return boxArea(n)
	case "ellipse":
		cx, cy, rx, ry := n.num("cx"), n.num("cy"), n.num("rx"), n.num("ry")
		return func(x, y float64) bool { return math.Hypot((x-cx)/rx, (y-cy)/ry) <= 1 },
			image.Rect(int(cx-rx), int(cy-ry), int(cx+rx), int(cy+ry))
	case "polygon":
		return polygonArea(n)
	case "mask":
		return maskArea(t, n)
	}
	t.Fatalf("unknown shape %s", n.XMLName.Local)
	return nil, image.Rectangle{}
}

func boxArea(n node) (func(x, y float64) bool, image.Rectangle) {
	if n.text("label") == dataset.Circle { // the box around a circle
		cx, cy, r := (n.num("xtl")+n.num("xbr"))/2, (n.num("ytl")+n.num("ybr"))/2, (n.num("xbr")-n.num("xtl"))/2
		return func(x, y float64) bool { return math.Hypot(x-cx, y-cy) <= r },
			image.Rect(int(cx-r), int(cy-r), int(cx+r), int(cy+r))
	}
	cx, cy := (n.num("xtl")+n.num("xbr"))/2, (n.num("ytl")+n.num("ybr"))/2
	w, h := (n.num("xbr")-n.num("xtl"))/2, (n.num("ybr")-n.num("ytl"))/2
	sin, cos := math.Sincos(n.num("rotation") * math.Pi / 180)
	hullW, hullH := math.Abs(w*cos)+math.Abs(h*sin), math.Abs(w*sin)+math.Abs(h*cos)
	return func(x, y float64) bool {
		dx, dy := x-cx, y-cy
		return math.Abs(dx*cos+dy*sin) <= w && math.Abs(dy*cos-dx*sin) <= h
	}, image.Rect(int(cx-hullW), int(cy-hullH), int(cx+hullW), int(cy+hullH))
}

func polygonArea(n node) (func(x, y float64) bool, image.Rectangle) {
	var xs, ys []float64
	for point := range strings.SplitSeq(n.text("points"), ";") {
		x, y, _ := strings.Cut(point, ",")
		px, _ := strconv.ParseFloat(x, 64)
		py, _ := strconv.ParseFloat(y, 64)
		xs, ys = append(xs, px), append(ys, py)
	}
	return func(x, y float64) bool {
		in := false
		for i, j := 0, len(xs)-1; i < len(xs); j, i = i, i+1 {
			if (ys[i] > y) != (ys[j] > y) && x < (xs[j]-xs[i])*(y-ys[i])/(ys[j]-ys[i])+xs[i] {
				in = !in
			}
		}
		return in
	}, image.Rect(int(slices.Min(xs)), int(slices.Min(ys)), int(slices.Max(xs)), int(slices.Max(ys)))
}

func maskArea(t *testing.T, n node) (func(x, y float64) bool, image.Rectangle) {
	t.Helper()
	left, top, w, h := int(n.num("left")), int(n.num("top")), int(n.num("width")), int(n.num("height"))
	var bits []bool
	for i, run := range strings.Split(n.text("rle"), ", ") {
		length, err := strconv.Atoi(run)
		if err != nil {
			t.Fatal(err)
		}
		bits = append(bits, slices.Repeat([]bool{i%2 == 1}, length)...)
	}
	if len(bits) != w*h {
		t.Fatalf("the runs add up to %d pixels, want %d by %d", len(bits), w, h)
	}
	box := image.Rect(left, top, left+w, top+h)
	return func(x, y float64) bool {
		p := image.Pt(int(math.Floor(x)), int(math.Floor(y)))
		return p.In(box) && bits[(p.Y-top)*w+p.X-left]
	}, box
}
