package export

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
)

type cocoFile struct {
	Info       map[string]any   `json:"info"`
	Licenses   []any            `json:"licenses"`
	Images     []cocoImage      `json:"images"`
	Instances  []cocoAnnotation `json:"annotations"`
	Categories []cocoCategory   `json:"categories"`
}

type cocoImage struct {
	ID       int64  `json:"id"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	FileName string `json:"file_name"`
}

type cocoCategory struct {
	ID    int64   `json:"id"`
	Name  string  `json:"name"`
	Super *string `json:"supercategory"`
}

type cocoAnnotation struct {
	ID           int64           `json:"id"`
	ImageID      int64           `json:"image_id"`
	CategoryID   int64           `json:"category_id"`
	IsCrowd      *int            `json:"iscrowd"`
	Area         *float64        `json:"area"`
	BBox         []float64       `json:"bbox"`
	Segmentation json.RawMessage `json:"segmentation"`
	Attributes   map[string]any  `json:"attributes"`
	Ignore       *int            `json:"ignore"`
}

type cocoMask struct {
	Size   [2]int `json:"size"`
	Counts string `json:"counts"`
}

// polygon gives the rings of an annotation, or nil for a mask.
func (a cocoAnnotation) polygon() (rings [][]float64) {
	_ = json.Unmarshal(a.Segmentation, &rings)
	return rings
}

func (a cocoAnnotation) mask() (m cocoMask) {
	_ = json.Unmarshal(a.Segmentation, &m)
	return m
}

func parseCOCO(t testing.TB, data []byte) cocoFile {
	t.Helper()
	var f cocoFile
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// rule is one rule of the format, by its id.
type rule struct {
	id    string
	holds func() bool
}

// checkCOCO holds a file against the rules, a subtest each.
func checkCOCO(t *testing.T, data []byte) {
	t.Helper()
	f := parseCOCO(t, data)
	for _, r := range append(fileRules(f, data), instanceRules(f)...) {
		t.Run(r.id, func(t *testing.T) {
			t.Parallel()
			if !r.holds() {
				t.Errorf("broken in\n%.3000s", data)
			}
		})
	}
}

func fileRules(f cocoFile, data []byte) []rule {
	return []rule{
		{"GEN-01", func() bool { return plainText(data) }},
		{"GEN-02", func() bool { return uniqueStems(f.Images) }},
		{"GEN-04", func() bool { return plainNumbers(data) }},
		{"COCO-01", func() bool {
			return f.Info != nil && f.Licenses != nil && f.Images != nil && f.Instances != nil && f.Categories != nil
		}},
		{"COCO-02", func() bool {
			return every(f.Images, func(_ int, im cocoImage) bool { return im.Width > 0 && im.Height > 0 && im.FileName != "" })
		}},
		{"COCO-03", func() bool {
			return every(f.Images, func(i int, im cocoImage) bool { return im.ID == int64(i)+1 }) &&
				every(f.Instances, func(i int, a cocoAnnotation) bool { return a.ID == int64(i)+1 }) &&
				every(f.Categories, func(i int, c cocoCategory) bool { return c.ID == int64(i)+1 })
		}},
		{"COCO-16", func() bool {
			seen := map[string]bool{}
			return every(f.Categories, func(_ int, c cocoCategory) bool {
				again := seen[c.Name]
				seen[c.Name] = true
				return c.Name != "" && !again && c.Super != nil
			})
		}},
		{"COCO-19", func() bool {
			return every(f.Images, func(_ int, im cocoImage) bool { return exportable(im.FileName) && !strings.Contains(im.FileName, `\`) })
		}},
	}
}

func instanceRules(f cocoFile) []rule {
	images := map[int64]cocoImage{}
	for _, im := range f.Images {
		images[im.ID] = im
	}
	return []rule{
		{"COCO-04", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool {
				return images[a.ImageID].ID > 0 && a.CategoryID >= 1 && a.CategoryID <= int64(len(f.Categories))
			})
		}},
		{"COCO-05", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool { return a.IsCrowd != nil && (*a.IsCrowd == 0 || *a.IsCrowd == 1) })
		}},
		{"COCO-06", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool { return a.Area != nil && rightArea(a) })
		}},
		{"COCO-07", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool { return boxInside(a, images[a.ImageID]) })
		}},
		{"COCO-08 COCO-09 COCO-10", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool { return a.mask().Counts != "" || goodRings(a.polygon()) })
		}},
		{"COCO-11 COCO-13", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool { return goodMask(a, images[a.ImageID]) })
		}},
		{"COCO-12", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool { return *a.IsCrowd == 0 || a.mask().Counts != "" })
		}},
		{"COCO-17", func() bool {
			return every(f.Instances, func(_ int, a cocoAnnotation) bool { return a.Ignore == nil || *a.Ignore == 0 })
		}},
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

func plainText(data []byte) bool {
	for _, b := range data {
		if b > '~' || b < ' ' && b != '\n' {
			return false
		}
	}
	return strings.HasSuffix(string(data), "\n") && !strings.Contains(string(data), " \n")
}

var exponent = regexp.MustCompile(`[\[,:](NaN|-?Infinity|-0(\.0*)?[,\]}]|-?[0-9.]+[eE])`)

func plainNumbers(data []byte) bool { return !exponent.Match(data) }

func uniqueStems(images []cocoImage) bool {
	seen := map[string]bool{}
	return every(images, func(_ int, im cocoImage) bool {
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

func boxInside(a cocoAnnotation, im cocoImage) bool {
	const ulp = 1e-9 // the reader's own float arithmetic
	b := a.BBox
	return len(b) == 4 && b[0] >= 0 && b[1] >= 0 && b[2] > 0 && b[3] > 0 &&
		b[0]+b[2] <= float64(im.Width)+ulp && b[1]+b[3] <= float64(im.Height)+ulp
}

func rightArea(a cocoAnnotation) bool {
	want := 0.0
	if m := a.mask(); m.Counts != "" {
		for i, n := range readRuns(m.Counts) {
			want += float64(i % 2 * int(n))
		}
	}
	for _, r := range a.polygon() {
		for i := 0; i < len(r); i += 2 {
			j := (i + 2) % len(r)
			want += (r[i]*r[j+1] - r[j]*r[i+1]) / 2
		}
	}
	return math.Abs(math.Abs(want)-*a.Area) < 1e-3 && *a.Area >= 0
}

func goodMask(a cocoAnnotation, im cocoImage) bool {
	m := a.mask()
	if m.Counts == "" {
		return true
	}
	sum := 0
	for i, n := range readRuns(m.Counts) {
		if sum += int(n); n == 0 && i > 0 {
			return false
		}
	}
	return m.Size == [2]int{im.Height, im.Width} && sum == im.Width*im.Height &&
		strings.IndexFunc(m.Counts, func(r rune) bool { return r < 48 || r > 111 }) < 0
}
