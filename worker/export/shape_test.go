package export

import (
	"context"
	"encoding/xml"
	"errors"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// FuzzShape: whatever a shape's numbers are, it becomes an annotation that
// keeps the rules, or a problem.
func FuzzShape(f *testing.F) {
	f.Add("box", "1", "1", "9.5", "9.5", "45", uint8(9), uint8(9))
	f.Add("box", "-3", "4", "0.004", "1e7", "", uint8(9), uint8(9))
	f.Add("polygon", "1,1;5,-9;12.555,7;-0,3", "", "", "", "", uint8(9), uint8(9))
	f.Add("ellipse", "5", "5", "9e6", "0.001", "33.3", uint8(200), uint8(100))
	f.Add("mask", "1, 2, 3", "-1", "2", "3", "2", uint8(9), uint8(9))
	names := map[string][]string{
		"box":     {"xtl", "ytl", "xbr", "ybr", "rotation"},
		"polygon": {"points"},
		"ellipse": {"cx", "cy", "rx", "ry", "rotation"},
		"mask":    {"rle", "left", "top", "width", "height"},
	}
	f.Fuzz(func(t *testing.T, kind, a, b, c, d, e string, width, height uint8) {
		el := element{kind: kind, attrs: []xml.Attr{{Name: xml.Name{Local: "label"}, Value: "car"}}}
		for i, name := range names[kind] {
			el.attrs = append(el.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: []string{a, b, c, d, e}[i]})
		}
		s := schema{labels: []label{{name: "car"}}, places: map[string]int{"car": 0}}
		checkShape(t, el, s, header{width: int(width) + 1, height: int(height) + 1})
	})
}

// COCO-12: a crowd is a mask; an outline that says it is one stays an
// instance, and the attribute is kept.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const crowd = `<attribute name="is_crowd">true</attribute>`
	w := newWorld(t, document(imageXML("i", 9, 9,
		`<mask label="car" rle="0, 4" left="0" top="0" width="2" height="2">`+crowd+`</mask>`,
		`<box label="car" xtl="1" ytl="1" xbr="2" ybr="2">`+crowd+`</box>`)), nil)
	w.job.IncludeImages = false
	_, z := w.export()
	data := unzip(t, z, defaultJSON)
	checkCOCO(t, data)
	f := parseCOCO(t, data)
	if *f.Instances[0].IsCrowd != 1 || *f.Instances[1].IsCrowd != 0 || f.Instances[1].Attributes["is_crowd"] != "true" {
		t.Errorf("%s", data)
	}
}

// The passes over the document see one version of it.
func TestDocumentChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(imageXML("i", 9, 9)), nil)
	w.job.IncludeImages = false
	opened := 0
	w.wrap = func(b providers.Bucket) providers.Bucket {
		return broken{Bucket: b, open: func(string) error {
			if opened++; opened == 2 {
				w.put("annotations.xml", []byte(document()))
			}
			return nil
		}}
	}
	if _, err := w.run(context.Background()); !errors.Is(err, providers.Conflict) {
		t.Errorf("%v", err)
	}
}
