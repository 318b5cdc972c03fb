package thumbnail

import (
	"bytes"
	"errors"
	"image"
	"runtime"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/raster/rastertest"
)

// Any bytes give a thumbnail or an error with a code, and take no more
// memory than their head lets expect. Small limits keep it quick.
func FuzzRender(f *testing.F) {
	const maxBytes, maxPixels, slack = 4 << 10, 1 << 12, 256 << 10
	f.Add([]byte(asJPEG(f, quarters(16, 8))))
	f.Add([]byte(turned(asJPEG(f, image.NewGray(image.Rect(0, 0, 9, 7))), 5)))
	f.Add([]byte(asPNG(f, quarters(8, 8))))
	f.Add([]byte(pngHead(3, 3)))
	progressive, cmyk := rastertest.YCbCr(16, 16, 0x21), rastertest.CMYK(8, 8, 2)
	progressive.Progressive = true
	f.Add(progressive.Bytes())
	f.Add(cmyk.Bytes())
	f.Add(rastertest.PNG{Width: 9, Height: 9, Bits: 16, Colour: 2, Interlaced: true, Transparent: true}.Bytes())
	m := maker{size: 16, quality: 80}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > maxBytes {
			return
		}
		h, err := readHead(data)
		if err != nil || h.Width > maxPixels || h.Height > maxPixels || h.Width*h.Height > maxPixels {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		thumb, err := m.render(bytes.NewReader(data), h)
		runtime.ReadMemStats(&after)
		if took := int64(after.TotalAlloc - before.TotalAlloc); took > m.memory(h)+slack {
			t.Fatalf("%+v took %d bytes, and the estimate is %d", h, took, m.memory(h))
		}
		if err != nil {
			if !errors.As(err, new(*head.Error)) {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if thumb.width < 1 || thumb.height < 1 || thumb.width > 16 || thumb.height > 16 || len(thumb.jpeg) == 0 {
			t.Fatalf("impossible: %d x %d", thumb.width, thumb.height)
		}
	})
}
