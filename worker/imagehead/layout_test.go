package imagehead

import (
	"encoding/binary"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// frameOf returns a JPEG's frame header with components by their IDs
// and samplings.
func frameOf(marker byte, components ...string) []byte {
	content := []byte{8, 0, 30, 0, 40, byte(len(components))}
	for _, c := range components {
		content = append(content, c[0], c[1], 0)
	}
	return segmentOf(marker, content)
}

func adobeOf(transform byte) []byte {
	return segmentOf(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00"+string(rune(transform))))
}

func TestRead_LayoutOfJPEG(t *testing.T) {
	t.Parallel()
	jfif := segmentOf(0xe0, []byte("JFIF\x00\x01\x01"))
	yuv := []string{"\x01\x22", "\x02\x11", "\x03\x11"}
	rgb := []string{"R\x11", "G\x11", "B\x11"}
	for name, c := range map[string]struct {
		before, frame, after []byte
		want                 head.Layout
	}{
		"grey":                    {nil, frameOf(0xc0, "\x01\x11"), nil, head.Layout{Components: 1, Sampling: [4]head.Sampling{{H: 1, V: 1}}}},
		"4:2:0":                   {jfif, frameOf(0xc0, yuv...), nil, head.Layout{Components: 3, Sampling: [4]head.Sampling{{H: 2, V: 2}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"progressive":             {jfif, frameOf(0xc2, yuv...), nil, head.Layout{Components: 3, Passes: true, Sampling: [4]head.Sampling{{H: 2, V: 2}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"RGB by its IDs":          {nil, frameOf(0xc0, rgb...), nil, head.Layout{Components: 3, RGB: true, Sampling: [4]head.Sampling{{H: 1, V: 1}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"JFIF is not RGB":         {jfif, frameOf(0xc0, rgb...), nil, head.Layout{Components: 3, Sampling: [4]head.Sampling{{H: 1, V: 1}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"RGB by Adobe":            {adobeOf(0), frameOf(0xc0, yuv...), nil, head.Layout{Components: 3, RGB: true, Sampling: [4]head.Sampling{{H: 2, V: 2}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"YCbCr by Adobe":          {adobeOf(1), frameOf(0xc0, yuv...), nil, head.Layout{Components: 3, Sampling: [4]head.Sampling{{H: 2, V: 2}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"Adobe behind the frame":  {nil, frameOf(0xc0, yuv...), adobeOf(0), head.Layout{Components: 3, RGB: true, Sampling: [4]head.Sampling{{H: 2, V: 2}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"CMYK":                    {adobeOf(0), frameOf(0xc2, "C\x11", "M\x11", "Y\x11", "K\x11"), nil, head.Layout{Components: 4, Passes: true, Sampling: [4]head.Sampling{{H: 1, V: 1}, {H: 1, V: 1}, {H: 1, V: 1}, {H: 1, V: 1}}}},
		"more components":         {nil, frameOf(0xc0, "a\x11", "b\x11", "c\x11", "d\x11", "e\x11"), nil, head.Layout{}},
		"broken behind the frame": {nil, frameOf(0xc0, yuv...), []byte{0xff, 0xfe, 0, 0}, head.Layout{Components: 3, Sampling: [4]head.Sampling{{H: 2, V: 2}, {H: 1, V: 1}, {H: 1, V: 1}}}},
	} {
		data := append([]byte{0xff, 0xd8}, c.before...)
		data = append(append(data, c.frame...), c.after...)
		c.want.Bits = 8
		for _, whole := range [][]byte{data, append(data, 0xff, 0xda, 0, 8)} {
			if h, err := parse(whole); err != nil || h.Layout != c.want || h.Width != 40 {
				t.Errorf("%s: %+v, %v", name, h, err)
			}
		}
	}
}

func TestRead_LayoutOfPNG(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bits, colour, interlace byte
		want                    head.Layout
	}{
		{1, 0, 0, head.Layout{Components: 1, Bits: 1}},
		{16, 2, 1, head.Layout{Components: 3, Bits: 16, Passes: true}},
		{4, 3, 0, head.Layout{Components: 1, Bits: 4, Palette: true}},
		{8, 4, 0, head.Layout{Components: 2, Bits: 8, Transparent: true}},
		{16, 6, 0, head.Layout{Components: 4, Bits: 16, Transparent: true}},
		{8, 7, 0, head.Layout{Bits: 8}},
	} {
		if h, err := parse(pngWith(c.bits, c.colour, c.interlace)); err != nil || h.Layout != c.want {
			t.Errorf("%+v, %v, want %+v", h.Layout, err, c.want)
		}
	}
	exif := chunkOf("eXIf", tiffOf(binary.BigEndian, 6))
	for _, chunks := range [][]byte{chunkOf("tRNS", nil), append(exif, chunkOf("tRNS", nil)...), append(chunkOf("eXIf", []byte("MM")), chunkOf("tRNS", nil)...)} {
		if h, err := parse(pngOf(40, 30, chunks)); err != nil || !h.Layout.Transparent {
			t.Errorf("%q: %+v, %v", chunks, h, err)
		}
	}
}
