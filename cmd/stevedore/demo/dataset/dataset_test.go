package dataset_test

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
)

// drawn is the data set as Draw gives it.
type drawn struct {
	keys  []string
	files map[string][]byte
}

func draw(t *testing.T) drawn {
	t.Helper()
	d := drawn{files: map[string][]byte{}}
	err := dataset.Draw(func(key string, data []byte) error {
		d.keys = append(d.keys, key)
		d.files[key] = bytes.Clone(data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDataSet(t *testing.T) {
	t.Parallel()
	d := draw(t)
	for name, check := range map[string]func(*testing.T, drawn){
		"keys": checkKeys, "facts": checkFacts, "images": checkImages, "orientation": checkOrientation, "alpha": checkAlpha,
		"corrupt": checkCorrupt, "annotations": checkAnnotations, "objects": checkObjects, "write": checkWrite,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); check(t, d) })
	}
}

func checkKeys(t *testing.T, d drawn) {
	if !slices.IsSorted(d.keys) || len(d.keys) != len(d.files) {
		t.Errorf("keys are not sorted or not unique: %q", d.keys)
	}
	for _, key := range []string{"annotations/annotations.xml", "scenes/corrupt.jpg", "scenes/notes.txt", "scenes/港の 風景.jpg", "scenes/phone.jpg"} {
		if len(d.files[key]) == 0 {
			t.Errorf("%s is missing", key)
		}
	}
}

func checkFacts(t *testing.T, d drawn) {
	f := dataset.Count()
	want := dataset.Facts{Keys: len(d.files), Images: 13, Corrupt: 1, Others: 1, Objects: 37, Labels: 4}
	if f != want {
		t.Errorf("Count() = %+v, want %+v", f, want)
	}
	images := 0
	for key := range d.files {
		if ext := path.Ext(key); strings.HasPrefix(key, dataset.Prefix) && (ext == ".jpg" || ext == ".png") {
			images++
		}
	}
	if images != f.Images+f.Corrupt {
		t.Errorf("%d keys look like images, the facts say %d and %d corrupt", images, f.Images, f.Corrupt)
	}
}

func checkImages(t *testing.T, d drawn) {
	sizes := map[image.Point]int{}
	for _, want := range dataset.Images() {
		m := d.displayed(t, want.Key)
		size := m.Bounds().Size()
		if size != image.Pt(want.Width, want.Height) {
			t.Errorf("%s is %v, want %d by %d", want.Key, size, want.Width, want.Height)
		}
		sizes[size]++
	}
	for _, size := range []image.Point{{X: 640, Y: 480}, {X: 1280, Y: 960}, {X: 480, Y: 640}} {
		if sizes[size] == 0 {
			t.Errorf("no image of %v", size)
		}
	}
}

// displayed decodes an image and applies its EXIF orientation.
func (d drawn) displayed(t *testing.T, key string) image.Image {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(d.files[key]))
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	if orientation(d.files[key]) != 6 {
		return m
	}
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.Set(b.Dy()-1-y, x, m.At(x, y)) // the stored first row is the right edge
		}
	}
	return out
}

// orientation reads the one Exif layout that the data set writes: big
// endian, one tag.
func orientation(file []byte) int {
	const start = "\xff\xd8\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"
	if !bytes.HasPrefix(file, []byte(start)) {
		return 0
	}
	return int(file[len(start)])
}

func checkOrientation(t *testing.T, d drawn) {
	for _, s := range dataset.Images() {
		if got := orientation(d.files[s.Key]); got != s.Orientation {
			t.Errorf("%s has orientation %d, want %d", s.Key, got, s.Orientation)
		}
	}
	phone := d.files["scenes/phone.jpg"]
	stored, err := jpeg.DecodeConfig(bytes.NewReader(phone))
	if err != nil || stored.Width != 640 || stored.Height != 480 || orientation(phone) != 6 {
		t.Errorf("phone.jpg is stored as %d by %d with orientation %d, %v", stored.Width, stored.Height, orientation(phone), err)
	}
}

func checkAlpha(t *testing.T, d drawn) {
	m, err := png.Decode(bytes.NewReader(d.files["scenes/sticker.png"]))
	if err != nil {
		t.Fatal(err)
	}
	var none, solid, between int
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			switch _, _, _, a := m.At(x, y).RGBA(); a {
			case 0:
				none++
			case 0xffff:
				solid++
			default:
				between++
			}
		}
	}
	if none == 0 || solid == 0 || between == 0 {
		t.Errorf("sticker.png has %d clear, %d solid and %d half-clear pixels, want some of each", none, solid, between)
	}
}

func checkCorrupt(t *testing.T, d drawn) {
	data := d.files[dataset.CorruptKey]
	if !bytes.HasPrefix(data, []byte("\xff\xd8\xff")) {
		t.Error("corrupt.jpg does not even begin like a JPEG")
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil {
		t.Errorf("corrupt.jpg has a size: %d by %d", c.Width, c.Height)
	}
}

// A second data set, in a directory, has exactly the same bytes.
func checkWrite(t *testing.T, d drawn) {
	dir := t.TempDir()
	if err := dataset.Write(dir); err != nil {
		t.Fatal(err)
	}
	for key, want := range d.files {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(key)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v, want %d", key, len(got), err, len(want))
		}
	}
}

func TestDrawStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	calls := 0
	err := dataset.Draw(func(string, []byte) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d calls, want the sink's error after one", err, calls)
	}
}
