package raster

import "github.com/stevedore-jobs/stevedore/worker/imagehead/head"

// pngMemory returns what the decoder of Go 1.26 takes for a PNG: the
// pixels and two rows of the file. For an interlaced PNG it makes an
// image of each pass too. Together they have as many pixels again.
func pngMemory(h head.Head) int64 {
	pixels := int64(h.Width) * int64(h.Height) * pngBytes(h.Layout)
	rows := 2 * (1 + (int64(h.Width)*int64(h.Layout.Bits*h.Layout.Components)+7)/8)
	if h.Layout.Passes {
		return 2*pixels + 3*rows + decoderMemory
	}
	return pixels + rows + decoderMemory
}

// pngBytes returns the bytes of a decoded pixel. A transparent colour
// turns grey and RGB into RGB with alpha.
func pngBytes(l head.Layout) int64 {
	deep := int64(max(1, l.Bits/8)) // 1 or 2 bytes a sample
	switch {
	case l.Palette:
		return 1
	case l.Components == 1 && !l.Transparent:
		return deep
	}
	return 4 * deep
}
