package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco/cocotest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

const defaultJSON = "annotations/instances_default.json"

// The fixture has everything that is known to break exporters.
func TestFixture(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fixtureDocument(), fixtureFiles())
	result, z := w.export()
	data := unzip(t, z, defaultJSON)
	cocotest.Check(t, data)
	golden(t, "fixture.json", data)
	golden(t, "names.jsonl", unzip(t, z, "names.jsonl"))

	sum := sha256.Sum256(w.read(w.job.Key))
	want := tasks.ExportAnnotationsResult{
		Key: "out/data.zip", Format: tasks.FormatCOCOInstances, Images: 6, Annotations: 307, Categories: 3,
		Size: int64(len(w.read(w.job.Key))), SHA256: hex.EncodeToString(sum[:]),
	}
	if diff := cmp.Diff(want, result); diff != "" {
		t.Error(diff)
	}
	if c := w.progress.Counts(); c.Objects != 6 || c.ObjectsTotal != 6 || c.Failed != 0 || c.Bytes == 0 {
		t.Errorf("progress %+v", c)
	}
}

func fixtureDocument() string { d, _ := fixture(); return d }

func fixtureFiles() map[string][]byte { _, f := fixture(); return f }

// These are the shapes of the golden file, in numbers.
func TestFixtureShapes(t *testing.T) {
	t.Parallel()
	_, z := newWorld(t, fixtureDocument(), fixtureFiles()).export()
	f := cocotest.Parse(t, unzip(t, z, defaultJSON))
	rotated, border, tiny, mask := f.Annotations[0], f.Annotations[1], f.Annotations[2], f.Annotations[3]
	if diff := cmp.Diff(map[string]any{
		"occluded": true, "rotation": 30.0, "group_id": 4.0, "z_order": 1.0, "parked": true, "doors": 4.0, "colour": `"red"`,
	}, rotated.Attributes); diff != "" {
		t.Error(diff)
	}
	// 20x20 around 20,30 turned by 30 degrees: the top left corner
	// goes to 20-10cos30+10sin30, 30-10sin30-10cos30.
	if r := rotated.Polygon()[0]; len(r) != 8 || r[0] != 16.34 || r[1] != 16.34 {
		t.Errorf("rotated corners %v (GEN-09)", r)
	}
	if diff := cmp.Diff([]float64{6.34, 16.34, 27.32, 27.32}, rotated.BBox); diff != "" {
		t.Error("hull", diff)
	}
	if diff := cmp.Diff([][]float64{{0, 90, 100, 90, 100, 100, 0, 100}}, border.Polygon()); diff != "" {
		t.Error("clipped box", diff)
	}
	if *tiny.Area != 0.09 || !slices.Equal(tiny.BBox, []float64{50, 50, 0.3, 0.3}) {
		t.Errorf("the 0.3-pixel box is %v, area %v", tiny.BBox, *tiny.Area)
	}
	const vector = `lo0b1b100000000hNhNd0X1\OhNd0X1\OhNd0X1\OhNd0X1\OhNd0X1d0000000000000000000Tj6`
	if mask.Mask().Counts != vector || *mask.Area != 950 || !slices.Equal(mask.BBox, []float64{10, 20, 20, 50}) {
		t.Errorf("mask %+v %v %v", mask.Mask(), *mask.Area, mask.BBox)
	}
	if len(f.Images) != 6 || f.Images[4].FileName != "empty.png" {
		t.Errorf("images %+v (GEN-11)", f.Images)
	}
	if f.Categories[1].Name != "ねこ:cat" || f.Categories[2].Name != "unused" {
		t.Errorf("categories %+v (GEN-05)", f.Categories)
	}
	ellipse := f.Annotations[len(f.Annotations)-1]
	if a := *ellipse.Area; a < 620 || a > 628.32 || ellipse.BBox[3] != 40 {
		t.Errorf("ellipse of %v, box %v; 200 pi and 40 high", a, ellipse.BBox)
	}
}

// GEN-10: the files are sorted, have one date, are marked as UTF-8,
// and images are not compressed. The bytes are the same each time.
func TestArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fixtureDocument(), fixtureFiles())
	first, z := w.export()
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		if f.Flags&0x800 == 0 || f.Modified.Year() != 1980 || f.Mode().Perm() != 0o644 {
			t.Errorf("%s: flags %x, time %v, mode %v", f.Name, f.Flags, f.Modified, f.Mode())
		}
		if image := strings.HasPrefix(f.Name, "images/"); image != (f.Method == 0) {
			t.Errorf("%s: method %d", f.Name, f.Method)
		}
	}
	if !sort.StringsAreSorted(names) || len(names) != 8 {
		t.Errorf("entries %q", names)
	}
	files := fixtureFiles()
	if got := unzip(t, z, "images/default/写真/東京 タワー+1.jpg"); !bytes.Equal(got, files["写真/東京 タワー+1.jpg"]) {
		t.Error("an upright image is not exported as it is stored")
	}
	w2 := newWorld(t, fixtureDocument(), files)
	if again, _ := w2.export(); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	if again, _ := w.export(); again != first {
		t.Errorf("%+v, then over it %+v", first, again)
	}
}

// GEN-03: an image with any EXIF orientation is exported as a viewer
// shows it, without the tag.
func TestOrientation(t *testing.T) {
	t.Parallel()
	// Where a viewer shows the light corner of the stored image.
	left := map[int]bool{1: true, 4: true, 5: true, 8: true}
	top := map[int]bool{1: true, 2: true, 5: true, 6: true}
	for o := 1; o <= 8; o++ {
		width, height := 40, 24
		if o > 4 {
			width, height = height, width
		}
		w := newWorld(t, documentXML(imageXML("i.jpg", width, height)), map[string][]byte{"i.jpg": testJPEG(40, 24, o)})
		_, z := w.export()
		data := unzip(t, z, "images/default/i.jpg")
		im, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if b := im.Bounds(); b.Dx() != width || b.Dy() != height || o > 1 && bytes.Contains(data, []byte("Exif")) {
			t.Errorf("orientation %d: %v, wanted %dx%d without EXIF", o, b, width, height)
		}
		x, y := width*3/4, height*3/4
		if left[o] {
			x = width / 4
		}
		if top[o] {
			y = height / 4
		}
		if r, _, _, _ := im.At(x, y).RGBA(); r>>8 < 150 {
			t.Errorf("orientation %d: the light corner is not at %d,%d", o, x, y)
		}
		if lines := w.lines(); lines != nil {
			t.Errorf("orientation %d: %q", o, lines)
		}
	}
}

// An image becomes one line, however many of its shapes have
// problems. Nothing is left out without a line.
func TestErrorLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shapes  string
		code    string
		message string
		kept    int
	}{
		"polyline":   {`<polyline label="car" points="1,1;2,2"/>`, "unsupported-shape", "polyline", 0},
		"points":     {`<points label="car" points="1,1"/>`, "unsupported-shape", "points", 0},
		"cuboid":     {`<cuboid label="car" xtl1="1"/>`, "unsupported-shape", "cuboid", 0},
		"skeleton":   {`<skeleton label="car"><points label="wheel" points="1,1"><attribute name="a">1</attribute></points></skeleton>`, "unsupported-shape", "skeleton", 0},
		"tag":        {`<tag label="car" source="manual"></tag>`, "unsupported-shape", "tag", 0},
		"undeclared": {`<box label="dog" xtl="1" ytl="1" xbr="2" ybr="2"/>`, "undeclared-label", `"dog"`, 0},
		"part":       {`<box label="wheel" xtl="1" ytl="1" xbr="2" ybr="2"/>`, "undeclared-label", "wheel", 0},
		"number":     {`<box label="car" xtl="1" ytl="NaN" xbr="2" ybr="2"/>`, "invalid-shape", `ytl="NaN"`, 0},
		"missing":    {`<box label="car" xtl="1" ytl="1" ybr="2"/>`, "invalid-shape", `xbr=""`, 0},
		"rotation":   {`<box label="car" xtl="1" ytl="1" xbr="2" ybr="2" rotation="1e9"/>`, "invalid-shape", "rotation", 0},
		"pair":       {`<polygon label="car" points="1,1;2"/>`, "invalid-shape", "x,y", 0},
		"two points": {`<polygon label="car" points="1,1;9,9;1,1"/>`, "degenerate-shape", "polygon", 0},
		"line":       {`<polygon label="car" points="1,1;5,5;9,9"/>`, "degenerate-shape", "polygon", 0},
		"outside":    {boxXML(`xtl="50" ytl="1" xbr="60" ybr="9"`), "degenerate-shape", "box", 0},
		"too thin":   {boxXML(`xtl="5" ytl="1" xbr="5.004" ybr="9"`), "degenerate-shape", "box", 0},
		"radius":     {`<ellipse label="car" cx="1" cy="1" rx="0" ry="3"/>`, "invalid-shape", "radius", 0},
		"rle":        {`<mask label="car" rle="1, 2" left="0" top="0" width="2" height="2"/>`, "invalid-shape", "fewer", 0},
		"huge mask":  {`<mask label="car" rle="1" left="0" top="0" width="99999" height="99999"/>`, "too-large", "more than the 200 of its image", 0},
		"empty mask": {`<mask label="car" rle="4" left="0" top="0" width="2" height="2"/>`, "degenerate-shape", "mask", 0},
		"mask place": {`<mask label="car" rle="4" left="0.5" top="0" width="2" height="2"/>`, "invalid-shape", "whole", 0},
		"two of them": {`<tag label="car"/>` + boxXML(`xtl="1" ytl="1" xbr="3" ybr="3"`) + `<box label="dog"/>`,
			"unsupported-shape", "undeclared-label: ", 1},
		"many": {strings.Repeat(`<tag label="car"/>`, 20), "unsupported-shape", "and 12 more", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, documentXML(imageXML("i.png", 20, 10, c.shapes)), nil)
			w.job.IncludeImages = false
			result, z := w.export()
			data := unzip(t, z, defaultJSON)
			if f := cocotest.Parse(t, data); len(f.Images) != 1 || len(f.Annotations) != c.kept || result.Annotations != int64(c.kept) {
				t.Errorf("exported %s", data)
			}
			lines := w.progress.Errors()
			if len(lines) != 1 || result.Failed != 1 || w.progress.Counts().Objects != 1 {
				t.Fatalf("lines %v, result %+v", lines, result)
			}
			if l := lines[0]; l.Key != "i.png" || l.Code != c.code || !strings.Contains(l.Message, c.message) || !l.Warning || result.Warnings != 1 {
				t.Errorf("line %+v", l)
			}
		})
	}
}

func TestUnusualImages(t *testing.T) {
	t.Parallel()
	turnedBroken := testJPEG(40, 24, 6)
	turnedBroken = turnedBroken[:len(turnedBroken)/2]
	for name, c := range map[string]struct {
		image string
		data  []byte
		code  string
		kept  bool
	}{
		"size":         {imageXML("i", 10, 10), testPNG(11, 10), "size-mismatch", true},
		"text":         {imageXML("i", 10, 10), []byte("hello, world"), "corrupt-image", true},
		"empty":        {imageXML("i", 10, 10), nil, "empty-object", true},
		"cannot turn":  {imageXML("i", 24, 40), turnedBroken, "corrupt-image", true},
		"another type": {imageXML("i", 10, 10), []byte("gimp xcf v011"), "", true},
		"no size":      {`<image id="0" name="i"></image>`, testPNG(9, 9), "invalid-image", false},
		"large":        {imageXML("i", 99_999, 99_999), testPNG(9, 9), "invalid-image", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, documentXML(c.image), map[string][]byte{"i": c.data})
			_, z := w.export()
			if kept := len(cocotest.Parse(t, unzip(t, z, defaultJSON)).Images) == 1; kept != c.kept {
				t.Errorf("kept %v", kept)
			}
			if c.kept && !bytes.Equal(unzip(t, z, "images/default/i"), c.data) {
				t.Error("the image was changed")
			}
			want := []string{"i: " + c.code}
			if c.code == "" {
				want = nil
			}
			if diff := cmp.Diff(want, w.lines()); diff != "" {
				t.Error(diff)
			}
			for _, line := range w.progress.Errors() {
				if line.Warning != c.kept {
					t.Errorf("the image is exported: %v, its line is a warning: %v", c.kept, line.Warning)
				}
			}
		})
	}
}

// A project has one file a subset. All have the same categories, and
// in each the ids start at 1.
func TestSubsets(t *testing.T) {
	t.Parallel()
	one := func(name, subset string) string {
		return strings.Replace(imageXML(name, 10, 10, boxXML(`xtl="1" ytl="1" xbr="3" ybr="3"`)), "<image", `<image subset="`+subset+`" task_id="1"`, 1)
	}
	doc := documentXML(one("a.png", "train"), one("b.png", "val"), one("a.png", "val"), one("a.png", "val"))
	doc = strings.NewReplacer("<task>", "<project>", "</task>", "</project>").Replace(doc)
	w := newWorld(t, doc, map[string][]byte{"a.png": testPNG(10, 10), "b.png": testPNG(10, 10)})
	result, z := w.export()
	for subset, images := range map[string]int{"train": 1, "val": 3} {
		data := unzip(t, z, "annotations/instances_"+subset+".json")
		cocotest.Check(t, data)
		if f := cocotest.Parse(t, data); len(f.Images) != images || len(f.Annotations) != images || len(f.Categories) != 3 {
			t.Errorf("%s holds %+v", subset, f)
		}
	}
	if result.Images != 4 || len(z.File) != 2+4+1 {
		t.Errorf("result %+v, %d entries", result, len(z.File))
	}
}

func TestEmptyDocument(t *testing.T) {
	t.Parallel()
	_, z := newWorld(t, documentXML(), nil).export()
	cocotest.Check(t, unzip(t, z, defaultJSON))
}

// COCO-12: a crowd is a mask. An outline with the attribute is no
// crowd, and the attribute is written.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const crowd = `<attribute name="is_crowd">true</attribute>`
	w := newWorld(t, documentXML(imageXML("i", 9, 9,
		`<mask label="car" rle="0, 4" left="0" top="0" width="2" height="2">`+crowd+`</mask>`,
		`<box label="car" xtl="1" ytl="1" xbr="2" ybr="2">`+crowd+`</box>`)), nil)
	w.job.IncludeImages = false
	_, z := w.export()
	data := unzip(t, z, defaultJSON)
	cocotest.Check(t, data)
	f := cocotest.Parse(t, data)
	if *f.Annotations[0].IsCrowd != 1 || *f.Annotations[1].IsCrowd != 0 || f.Annotations[1].Attributes["is_crowd"] != "true" {
		t.Errorf("%s", data)
	}
}
