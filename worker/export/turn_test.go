package export

import (
	"bytes"
	"image"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/raster"
	"github.com/stevedore-jobs/stevedore/worker/raster/rastertest"
)

// What it takes to turn an image is at most the estimate, and at least
// two thirds of it.
func TestTurnMemory(t *testing.T) { //nolint:paralleltest // it measures the whole process
	noise := image.NewRGBA(image.Rect(0, 0, 900, 700))
	random := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.Uint32())
	}
	var photo bytes.Buffer
	if err := raster.EncodeJPEG(&photo, noise, 95); err != nil {
		t.Fatal(err)
	}
	progressive := rastertest.YCbCr(900, 700, 0x11)
	progressive.Progressive = true
	for name, data := range map[string][]byte{
		"photo": photo.Bytes(), "progressive": progressive.Bytes(), "CMYK": rastertest.CMYK(900, 700, 2).Bytes(),
	} {
		h, err := imagehead.Read(func(off, n int64) ([]byte, error) { return data[off:][:n], nil }, int64(len(data)), 4096)
		if err != nil {
			t.Fatal(err)
		}
		h.Orientation = 6
		var c memory.Content
		c.Add(data)
		var before, after runtime.MemStats
		percent := debug.SetGCPercent(-1)
		runtime.ReadMemStats(&before)
		_, err = turnUpright(t.Context(), h, c)
		runtime.ReadMemStats(&after)
		debug.SetGCPercent(percent)
		took, estimate := int64(after.TotalAlloc-before.TotalAlloc), turnMemory(h)
		if err != nil || estimate < took || estimate > took*3/2 {
			t.Errorf("%s: the estimate is %d, and it takes %d (%.2f), %v", name, estimate, took, float64(estimate)/float64(took), err)
		}
	}
}

// An image that can never be turned within the budget is exported as it
// is, with a warning that names the sizes and the setting.
func TestTurn_BeyondTheBudget(t *testing.T) {
	t.Parallel()
	cmyk := rastertest.CMYK(6000, 6000, 0)
	cmyk.Progressive = true
	data := cmyk.Bytes()
	exif := testJPEG(8, 8, 6)[2:38]
	data = append(append([]byte{0xff, 0xd8}, exif...), data[2:]...)
	w := newWorld(t, documentXML(imageXML("i.jpg", 6000, 6000)), map[string][]byte{"i.jpg": data})
	if _, err := New(memory.New(100<<20)).Run(t.Context(), w.job, w.env()); err != nil {
		t.Fatal(err)
	}
	errs := w.progress.Errors()
	if len(errs) != 1 || !errs[0].Warning || errs[0].Code != "too-large" {
		t.Fatalf("got %+v", errs)
	}
	const want = "MiB of memory, and may take 25 MiB: a quarter of the setting memory-budget, which is 100 MiB; exported as it is"
	if !strings.HasSuffix(errs[0].Message, want) {
		t.Errorf("got %s", errs[0].Message)
	}
}

// The zip is the same whether images could be held ahead or not.
func TestImages_WithoutRoomAhead(t *testing.T) {
	t.Parallel()
	large := append(testPNG(10, 10), make([]byte, maxHeld)...)
	far := append(append([]byte{0xff, 0xd8}, bytes.Repeat(append([]byte{0xff, 0xe2, 0xff, 0xff}, make([]byte, 0xfffd)...), 3)...), testJPEG(8, 8, 6)[2:]...)
	files := map[string][]byte{"a.png": large, "b.jpg": testJPEG(8, 8, 6), "c.jpg": far, "d.png": append(testPNG(9, 9), make([]byte, 1<<20)...)}
	document := documentXML(imageXML("a.png", 10, 10), imageXML("b.jpg", 8, 8), imageXML("c.jpg", 8, 8), imageXML("d.png", 9, 9))
	var zips [2][]byte
	for i := range zips {
		b := memory.New(64 << 20) // the document takes what can be held for long
		if i == 0 {
			b = memory.New(1 << 30)
		}
		w := newWorld(t, document, files)
		if _, err := New(b).Run(t.Context(), w.job, w.env()); err != nil || w.lines() != nil {
			t.Fatalf("%v, %q", err, w.lines())
		}
		zips[i] = w.read(w.job.Key)
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Errorf("the zips have %d and %d bytes, and differ", len(zips[0]), len(zips[1]))
	}
}
