package raster

import (
	"runtime"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// decoderMemory is what a decoder takes beside the pixels: its tables
// and buffers.
const decoderMemory = 128 << 10

// DecodeMemory returns how many bytes Decode takes at most for an image
// with a head, with the image that it returns. It is 0 if the type
// cannot be decoded.
func DecodeMemory(h head.Head) int64 {
	c, known := codecs[h.Type]
	if !known {
		return 0
	}
	return c.memory(h)
}

// ResizeMemory returns how many bytes Resize takes beside the image,
// with the image that it returns: an image of each of the two passes,
// the filter's weights, a queue of all lines, and a line of pixels a
// processor.
func ResizeMemory(fromWidth, fromHeight, width, height int) int64 {
	const pixel, index = 4, 8
	from, down := int64(fromWidth), int64(fromHeight)
	to := int64(width) * int64(height) * pixel
	processors := int64(runtime.GOMAXPROCS(0))
	total := to
	switch {
	case fromWidth != width && fromHeight != height:
		total += int64(width) * down * pixel
	case fromWidth == width && fromHeight == height:
		return total
	}
	if fromWidth != width {
		total += weightMemory(width, fromWidth) + processors*from*pixel + down*index
	}
	if fromHeight != height {
		total += weightMemory(height, fromHeight) + processors*down*pixel + int64(width)*index
	}
	return total
}

// weightMemory returns what the weights of a Lanczos filter take, as
// package imaging makes them.
func weightMemory(to, from int) int64 {
	const support, weight, header = 3, 16, 24
	reach := ceilDiv(support*max(from, to), to)
	return int64(to) * (2*(reach+2)*weight + header)
}

// UprightMemory returns how many bytes Upright takes for an image of a
// size, with the image that it returns.
func UprightMemory(width, height, orientation int) int64 {
	if orientation < 2 || orientation > 8 {
		return 0
	}
	return int64(width) * int64(height) * 4
}

// FlatMemory returns how many bytes Flatten takes for an image of a
// size.
func FlatMemory(width, height int) int64 { return int64(width) * int64(height) * 4 }

// EncodeMemory returns how many bytes Encode writes at most for an
// image of a size. Noise takes 1.5 bytes a pixel.
func EncodeMemory(width, height int) int64 {
	return 2*int64(width)*int64(height) + decoderMemory
}

func ceilDiv(a, b int) int64 { return (int64(a) + int64(b) - 1) / int64(b) }
