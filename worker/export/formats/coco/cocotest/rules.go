package cocotest

import (
	"math"
	"regexp"
	"strings"
	"testing"
)

// rule is a rule of the format.
type rule struct {
	id    string
	holds func() bool
}

// Check checks a file against all rules, each in a subtest.
func Check(t *testing.T, data []byte) {
	t.Helper()
	f := Parse(t, data)
	for _, r := range append(fileRules(f, data), annotationRules(f)...) {
		t.Run(r.id, func(t *testing.T) {
			t.Parallel()
			if !r.holds() {
				t.Errorf("broken in\n%.3000s", data)
			}
		})
	}
}

// Broken returns the ids of the rules that a file breaks.
func Broken(t testing.TB, data []byte) (ids []string) {
	t.Helper()
	f := Parse(t, data)
	for _, r := range append(fileRules(f, data), annotationRules(f)...) {
		if !r.holds() {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// CheckAnnotation checks one annotation, whose JSON is text, of an
// image with a size in pixels. It checks no rules about its ids.
func CheckAnnotation(t *testing.T, text []byte, width, height int) {
	t.Helper()
	im := Image{Width: width, Height: height}
	a := Parse(t, []byte(`{"annotations":[`+string(text)+`]}`)).Annotations[0]
	if !isPlainText(append(text, '\n')) || a.Area == nil || !boxInside(a, im) {
		t.Fatalf("%s", text)
	}
	for _, ring := range a.Polygon() {
		for i, v := range ring {
			if limit := []int{width, height}[i%2]; v < 0 || v > float64(limit) || math.IsNaN(v) {
				t.Fatalf("%v is outside: %s", v, text)
			}
		}
	}
	if a.Mask().Counts == "" && !goodRings(a.Polygon()) || !goodMask(a, im) {
		t.Fatalf("%s", text)
	}
}

func fileRules(f File, data []byte) []rule {
	return []rule{
		{"GEN-01", func() bool { return isPlainText(data) }},
		{"GEN-02", func() bool { return uniqueStems(f.Images) }},
		{"GEN-04", func() bool { return !unusualNumber.Match(data) }},
		{"COCO-01", func() bool {
			return f.Info != nil && f.Licenses != nil && f.Images != nil &&
				f.Annotations != nil && f.Categories != nil
		}},
		{"COCO-02", func() bool {
			return every(f.Images, func(_ int, im Image) bool {
				return im.Width > 0 && im.Height > 0 && im.FileName != ""
			})
		}},
		{"COCO-03", func() bool {
			return every(f.Images, func(i int, im Image) bool { return im.ID == int64(i)+1 }) &&
				every(f.Annotations, func(i int, a Annotation) bool {
					return a.ID == int64(i)+1
				}) &&
				every(f.Categories, func(i int, c Category) bool { return c.ID == int64(i)+1 })
		}},
		{"COCO-16", func() bool {
			seen := map[string]bool{}
			return every(f.Categories, func(_ int, c Category) bool {
				again := seen[c.Name]
				seen[c.Name] = true
				return c.Name != "" && !again && c.Super != nil
			})
		}},
		{"COCO-19", func() bool {
			return every(f.Images, func(_ int, im Image) bool {
				return isPortablePath(im.FileName)
			})
		}},
	}
}

func annotationRules(f File) []rule {
	images := map[int64]Image{}
	for _, im := range f.Images {
		images[im.ID] = im
	}
	check := func(holds func(Annotation) bool) func() bool {
		return func() bool {
			return every(f.Annotations, func(_ int, a Annotation) bool { return holds(a) })
		}
	}
	return []rule{
		{"COCO-04", check(func(a Annotation) bool {
			known := a.CategoryID >= 1 && a.CategoryID <= int64(len(f.Categories))
			return images[a.ImageID].ID > 0 && known
		})},
		{"COCO-05", check(func(a Annotation) bool {
			return a.IsCrowd != nil && (*a.IsCrowd == 0 || *a.IsCrowd == 1)
		})},
		{"COCO-06", check(func(a Annotation) bool { return a.Area != nil && rightArea(a) })},
		{"COCO-07", check(func(a Annotation) bool { return boxInside(a, images[a.ImageID]) })},
		{"COCO-08 COCO-09 COCO-10", check(func(a Annotation) bool {
			return a.Mask().Counts != "" || goodRings(a.Polygon())
		})},
		{"COCO-11 COCO-13", check(func(a Annotation) bool {
			return goodMask(a, images[a.ImageID])
		})},
		{"COCO-12", check(func(a Annotation) bool {
			return *a.IsCrowd == 0 || a.Mask().Counts != ""
		})},
		{"COCO-17", check(func(a Annotation) bool { return a.Ignore == nil || *a.Ignore == 0 })},
	}
}

func every[T any](list []T, holds func(int, T) bool) bool {
	for i, v := range list {
		if !holds(i, v) {
			return false
		}
	}
	return true
}

// isPlainText reports whether data is ASCII in lines that end with a
// line feed and no space.
func isPlainText(data []byte) bool {
	for _, b := range data {
		if b > '~' || b < ' ' && b != '\n' {
			return false
		}
	}
	return strings.HasSuffix(string(data), "\n") && !strings.Contains(string(data), " \n")
}

// unusualNumber matches numbers that some readers reject.
var unusualNumber = regexp.MustCompile(
	`[\[,:](NaN|-?Infinity|-0(\.0*)?[,\]}]|-?[0-9.]+[eE])`)

func isPortablePath(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.Contains(name, `\`)
}

func uniqueStems(images []Image) bool {
	seen := map[string]bool{}
	return every(images, func(_ int, im Image) bool {
		stem := strings.ToLower(im.FileName)
		if dot := strings.LastIndexByte(stem, '.'); dot > strings.LastIndexByte(stem, '/') {
			stem = stem[:dot]
		}
		again := seen[stem]
		seen[stem] = true
		return !again
	})
}

func goodRings(rings [][]float64) bool {
	return len(rings) > 0 && every(rings, func(_ int, r []float64) bool {
		n := len(r)
		return n >= 6 && n%2 == 0 && (r[0] != r[n-2] || r[1] != r[n-1])
	})
}

func boxInside(a Annotation, im Image) bool {
	const ulp = 1e-9 // the error of a reader's own floats
	b := a.BBox
	return len(b) == 4 && b[0] >= 0 && b[1] >= 0 && b[2] > 0 && b[3] > 0 &&
		b[0]+b[2] <= float64(im.Width)+ulp && b[1]+b[3] <= float64(im.Height)+ulp
}

func rightArea(a Annotation) bool {
	want := 0.0
	if m := a.Mask(); m.Counts != "" {
		for i, n := range Unpack(m.Counts) {
			want += float64(i % 2 * int(n))
		}
	}
	for _, r := range a.Polygon() {
		for i := 0; i < len(r); i += 2 {
			j := (i + 2) % len(r)
			want += (r[i]*r[j+1] - r[j]*r[i+1]) / 2
		}
	}
	return math.Abs(math.Abs(want)-*a.Area) < 1e-3 && *a.Area >= 0
}

func goodMask(a Annotation, im Image) bool {
	m := a.Mask()
	if m.Counts == "" {
		return true
	}
	sum := 0
	for i, n := range Unpack(m.Counts) {
		if sum += int(n); n == 0 && i > 0 {
			return false
		}
	}
	return m.Size == [2]int{im.Height, im.Width} && sum == im.Width*im.Height &&
		strings.IndexFunc(m.Counts, func(r rune) bool { return r < 48 || r > 111 }) < 0
}
