package raster

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/raster/rastertest"
)

// allocated returns how many bytes do allocates. Without a garbage
// collection that is the most that it can hold at once. The test must
// not be parallel.
func allocated(do func()) int64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func headOf(t testing.TB, data []byte) head.Head {
	t.Helper()
	h, err := imagehead.Read(func(off, n int64) ([]byte, error) { return data[off:][:n], nil }, int64(len(data)), 4096)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// checkEstimate fails the test unless an estimate is at least what was
// allocated and, beside the fixed size of tables and buffers, at most
// half more.
func checkEstimate(t *testing.T, name string, estimate, peak int64) {
	t.Helper()
	if estimate < peak || estimate-decoderMemory > peak*3/2 {
		t.Errorf("%s: the estimate is %d, and it takes %d: %.2f", name, estimate, peak, float64(estimate)/float64(peak))
	}
}

// modes returns the images of all modes in a size, by their names.
func modes(width, height int) map[string][]byte {
	all := map[string][]byte{}
	for _, progressive := range []bool{false, true} {
		add := func(name string, j rastertest.JPEG) {
			j.Progressive = progressive
			all[fmt.Sprintf("JPEG %s, progressive %t", name, progressive)] = j.Bytes()
		}
		for _, luma := range []byte{0x11, 0x12, 0x21, 0x22, 0x41, 0x42} {
			add(fmt.Sprintf("luma %x", luma), rastertest.YCbCr(width, height, luma))
		}
		rgb := rastertest.YCbCr(width, height, 0x11)
		rgb.IDs = "RGB"
		add("RGB", rgb)
		rgb = rastertest.YCbCr(width, height, 0x22)
		rgb.Adobe = 0
		add("RGB by Adobe", rgb)
		add("CMYK", rastertest.CMYK(width, height, 0))
		add("YCCK", rastertest.CMYK(width, height, 2))
		halved := rastertest.CMYK(width, height, 2)
		halved.Sampling = []byte{0x22, 0x11, 0x11, 0x22}
		add("YCCK, subsampled", halved)
		add("grey", rastertest.JPEG{Width: width, Height: height, IDs: "\x01", Sampling: []byte{0x22}, Adobe: -1})
	}
	for colour, bits := range map[byte][]int{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}} {
		for _, b := range bits {
			for _, interlaced := range []bool{false, true} {
				for _, transparent := range []bool{false, true} {
					p := rastertest.PNG{Width: width, Height: height, Bits: b, Colour: colour, Interlaced: interlaced, Transparent: transparent}
					if transparent && colour >= 4 {
						continue // it has alpha anyway
					}
					all[fmt.Sprintf("PNG %+v", p)] = p.Bytes()
				}
			}
		}
	}
	return all
}

// A wrong estimate breaks the memory budget of the process, or refuses
// images that fit.
func TestDecodeMemory(t *testing.T) { //nolint:paralleltest // it measures the whole process
	for _, size := range []image.Point{{700, 500}, {31, 2500}, {2500, 31}, {1, 1}} {
		for name, data := range modes(size.X, size.Y) {
			h := headOf(t, data)
			var err error
			peak := allocated(func() { _, err = Decode(h.Type, bytes.NewReader(data)) })
			if err != nil {
				t.Errorf("%s, %v: %v", name, size, err)
			}
			checkEstimate(t, fmt.Sprintf("%s, %v", name, size), DecodeMemory(h), peak)
		}
	}
}

func TestResizeMemory(t *testing.T) { //nolint:paralleltest // it measures the whole process
	for _, c := range [][4]int{
		{700, 500, 256, 183}, {700, 500, 700, 500}, {700, 500, 700, 100}, {700, 500, 100, 500},
		{1500, 1000, 1024, 683}, {100_000, 3, 256, 1}, {3, 100_000, 1, 256}, {2000, 1, 16, 1},
	} {
		m := image.NewYCbCr(image.Rect(0, 0, c[0], c[1]), image.YCbCrSubsampleRatio420)
		peak := allocated(func() { Resize(m, c[2], c[3]) })
		checkEstimate(t, fmt.Sprint(c), ResizeMemory(c[0], c[1], c[2], c[3])+decoderMemory, peak)
	}
}

func TestUprightMemory(t *testing.T) { //nolint:paralleltest // it measures the whole process
	m := image.NewYCbCr(image.Rect(0, 0, 700, 500), image.YCbCrSubsampleRatio420)
	for orientation := range 10 {
		peak := allocated(func() { Upright(m, orientation) })
		checkEstimate(t, fmt.Sprint(orientation), UprightMemory(700, 500, orientation)+decoderMemory, peak)
	}
	peak := allocated(func() { Flatten(m) })
	checkEstimate(t, "flat", FlatMemory(700, 500)+decoderMemory, peak)
}

// To encode what Upright returns takes hardly any memory: no pixel is
// converted by itself.
func TestEncode_MakesNoGarbage(t *testing.T) { //nolint:paralleltest // it measures the whole process
	m := Upright(image.NewYCbCr(image.Rect(0, 0, 700, 500), image.YCbCrSubsampleRatio420), 6)
	peak := allocated(func() {
		if err := Encode(io.Discard, imagehead.JPEG, m); err != nil {
			t.Error(err)
		}
	})
	if peak > decoderMemory {
		t.Errorf("it takes %d bytes", peak)
	}
}

// A type without an estimate would pass any budget.
func TestDecodeMemory_OfEveryCodec(t *testing.T) {
	t.Parallel()
	for typ, c := range codecs {
		if c.memory == nil || DecodeMemory(head.Head{Type: typ, Width: 10, Height: 10}) < 1 {
			t.Errorf("%s: there is no estimate", typ)
		}
	}
	if DecodeMemory(head.Head{Type: "tiff"}) != 0 {
		t.Error("a type without a codec takes nothing")
	}
}

func TestDecode_RefusesWhatItsHeadHides(t *testing.T) {
	t.Parallel()
	late := rastertest.YCbCr(64, 64, 0x22)
	late.Adobe, late.Late = 0, true
	if _, err := Decode(imagehead.JPEG, bytes.NewReader(late.Bytes())); err == nil {
		t.Error("colours that are described after the pixels pass")
	}
	// What follows the image is not the decoder's, for example a second
	// image with a depth map.
	whole := rastertest.YCbCr(64, 64, 0x22).Bytes()
	for _, r := range []io.Reader{bytes.NewReader(append(whole, late.Bytes()...)), io.MultiReader(bytes.NewReader(whole))} {
		if _, err := Decode(imagehead.JPEG, r); err != nil {
			t.Error(err)
		}
	}
	scans := rastertest.YCbCr(64, 64, 0x22)
	scans.Scans = maxScans + 1
	if _, err := Decode(imagehead.JPEG, bytes.NewReader(scans.Bytes())); err == nil {
		t.Error("any number of scans passes")
	}
}
