package export

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// world has a bucket in memory and a job on it.
type world struct {
	t        testing.TB
	buckets  *mem.Opener
	progress *job.Progress
	job      tasks.ExportAnnotations
	wrap     func(providers.Bucket) providers.Bucket
}

func newWorld(t testing.TB, document string, files map[string][]byte) *world {
	t.Helper()
	w := &world{t: t, buckets: mem.New(), progress: &job.Progress{}}
	w.buckets.Create("b")
	w.job = tasks.ExportAnnotations{
		Source:        tasks.Storage{Provider: "mem", Bucket: "b"},
		Annotations:   tasks.Annotations{Key: "annotations.xml", Format: tasks.FormatCVATImages},
		Format:        tasks.FormatCOCOInstances,
		Key:           "out/data.zip",
		IncludeImages: true,
	}
	w.put("annotations.xml", []byte(document))
	for key, data := range files {
		w.put(key, data)
	}
	return w
}

func (w *world) bucket() providers.Bucket {
	b, err := w.buckets.Open(context.Background(), tasks.Storage{Provider: "mem", Bucket: "b"}, providers.Secrets{})
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) put(key string, data []byte) {
	if _, err := w.bucket().Put(context.Background(), key, bytes.NewReader(data), providers.WriteOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) env() job.Env {
	return job.Env{
		Log: slog.New(slog.DiscardHandler), Progress: w.progress, Parallel: 3,
		Open: func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
			b, err := w.buckets.Open(ctx, s, providers.Secrets{})
			if err == nil && w.wrap != nil {
				b = w.wrap(b)
			}
			return providers.WithPrefix(b, s), err
		},
	}
}

func (w *world) run(ctx context.Context) (tasks.ExportAnnotationsResult, error) {
	result, err := New(memory.New(1<<30)).Run(ctx, w.job, w.env())
	r, _ := result.(tasks.ExportAnnotationsResult)
	return r, err
}

// export runs the job and opens the zip.
func (w *world) export() (tasks.ExportAnnotationsResult, *zip.Reader) {
	w.t.Helper()
	if err := w.job.Validate(); err != nil {
		w.t.Fatal(err)
	}
	r, err := w.run(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	data := w.read(w.job.Key)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		w.t.Fatal(err)
	}
	return r, z
}

func (w *world) read(key string) []byte {
	w.t.Helper()
	r, err := w.bucket().Open(context.Background(), key, providers.ReadOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// lines returns the error list, each line as "key: code".
func (w *world) lines() []string {
	var list []string
	for _, e := range w.progress.Errors() {
		list = append(list, e.Key+": "+e.Code)
	}
	return list
}

func unzip(t testing.TB, z *zip.Reader, name string) []byte {
	t.Helper()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// testImage returns a dark image with a light top left corner, which
// shows how it was turned.
func testImage(width, height int) image.Image {
	im := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{20, 30, 40, 255}
			if x < width/2 && y < height/2 {
				c = color.NRGBA{230, 220, 210, 255}
			}
			im.SetNRGBA(x, y, c)
		}
	}
	return im
}

func testPNG(width, height int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, testImage(width, height))
	return b.Bytes()
}

// testJPEG returns a JPEG with an EXIF orientation, or without if
// that is 0.
func testJPEG(width, height, orientation int) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, testImage(width, height), nil)
	if orientation == 0 {
		return b.Bytes()
	}
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	exif = binary.BigEndian.AppendUint16(exif, uint16(orientation))
	exif = append(exif, 0, 0, 0, 0, 0, 0)
	out := append([]byte{}, b.Bytes()[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	return append(append(out, exif...), b.Bytes()[2:]...)
}

// documentXML returns a task's export with images, and the labels
// car, ねこ:cat and unused.
func documentXML(images ...string) string {
	return `<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>7</id><name>t</name><labels>
    <label><name>car</name><color>#ff0000</color><type>any</type><attributes>
      <attribute><name>parked</name><mutable>False</mutable><input_type>checkbox</input_type><default_value>false</default_value><values>false</values></attribute>
      <attribute><name>doors</name><input_type>number</input_type><values>0
9
1</values></attribute>
      <attribute><name>colour</name><input_type>select</input_type><values>red
blue</values></attribute>
    </attributes></label>
    <label><name>ねこ:cat</name><attributes></attributes></label>
    <label><name>unused</name><attributes></attributes></label>
    <label><name>wheel</name><parent>car</parent><attributes></attributes></label>
  </labels></task></meta>
` + strings.Join(images, "\n") + "\n</annotations>\n"
}

func imageXML(name string, width, height int, shapes ...string) string {
	return fmt.Sprintf("  <image id=\"0\" name=%q width=\"%d\" height=\"%d\">\n    %s\n  </image>",
		name, width, height, strings.Join(shapes, "\n    "))
}

func boxXML(geometry string) string {
	return `<box label="car" source="manual" occluded="0" ` + geometry + ` z_order="0"></box>`
}

// hole returns the mask of the golden vectors: columns 10 to 29, rows
// 20 to 69, with a hole in columns 15 to 19, rows 30 to 39.
func hole() string {
	runs := []string{"0", "205"}
	for row := range 10 {
		next := "15"
		if row == 9 {
			next = "610"
		}
		runs = append(runs, "5", next)
	}
	return `<mask label="ねこ:cat" source="manual" occluded="1" rle="` + strings.Join(runs, ", ") +
		`" left="10" top="20" width="20" height="50" z_order="2"></mask>`
}

// fixture returns a document and its images with everything that is
// known to break exporters.
func fixture() (string, map[string][]byte) {
	many := make([]string, 300)
	for i := range many {
		x, y := i%20*4, i/20*4
		many[i] = boxXML(fmt.Sprintf(`xtl="%d.10" ytl="%d.20" xbr="%d.35" ybr="%d.55"`, x, y, x+3, y+3))
	}
	const japanese = "写真/東京 タワー+1.jpg"
	return documentXML(
			imageXML("x/a.jpg", 100, 100,
				`<box label="car" source="manual" occluded="1" xtl="10.00" ytl="20.00" xbr="30.00" ybr="40.00" rotation="30.00" z_order="1" group_id="4">`+
					`<attribute name="parked">true</attribute><attribute name="doors">4</attribute><attribute name="colour">"red"</attribute></box>`,
				boxXML(`xtl="-5.00" ytl="90.00" xbr="100.00" ybr="104.50"`),
				boxXML(`xtl="50.00" ytl="50.00" xbr="50.30" ybr="50.30"`),
				hole()),
			imageXML("x/a.png", 100, 100, `<polygon label="car" points="10.00,20.00;30.00,20.00;30.00,70.00;10.00,70.00;10.00,20.00" occluded="0"></polygon>`),
			imageXML("turned.jpg", 40, 60, `<polygon label="ねこ:cat" points="-10.00,10.00;20.00,-10.00;50.00,30.00;20.00,70.00" occluded="0"></polygon>`),
			imageXML(japanese, 80, 60, many...),
			imageXML("empty.png", 16, 16),
			imageXML("ellipse.png", 64, 64, `<ellipse label="car" occluded="0" cx="32.00" cy="32.00" rx="20.00" ry="10.00" rotation="90.00"></ellipse>`),
		), map[string][]byte{
			"x/a.jpg": testJPEG(100, 100, 0), "x/a.png": testPNG(100, 100), "turned.jpg": testJPEG(60, 40, 6),
			japanese: testJPEG(80, 60, 1), "empty.png": testPNG(16, 16), "ellipse.png": testPNG(64, 64),
		}
}
