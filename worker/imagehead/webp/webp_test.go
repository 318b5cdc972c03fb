package webp

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

// chunkOf returns a chunk with its padding.
func chunkOf(kind, content string) string {
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(content)))
	return kind + string(size) + content + strings.Repeat("\x00", len(content)&1)
}

func fileOf(chunks ...string) string {
	return chunkOf("RIFF", "WEBP"+strings.Join(chunks, ""))
}

// extended returns the chunk VP8X of an image of 40 x 30 pixels.
func extended(flags byte) string {
	return chunkOf("VP8X", string([]byte{flags, 0, 0, 0, 39, 0, 0, 29, 0, 0}))
}

const (
	both  = flagEXIF | flagXMP
	block = "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
	empty = "II*\x00\x08\x00\x00\x00\x00\x00"
	xmp   = `<x tiff:Orientation="3"/>`
)

// The rules of sizes are those of RFC 6386, 9.1, of the lossless format,
// and of the container.
func TestRead_Sizes(t *testing.T) {
	t.Parallel()
	lossless := binary.LittleEndian.AppendUint32([]byte{0x2f}, 39|29<<14|1<<28)
	for name, c := range map[string]struct {
		data          string
		width, height int // 0 if the head is broken
		components    int
	}{
		"lossy":                        {fileOf(chunkOf("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x28\x00\x1e\x00")), 40, 30, 3},
		"two bits are for scaling":     {fileOf(chunkOf("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x28\xc0\x1e\x40")), 40, 30, 3},
		"lossy, no start code":         {fileOf(chunkOf("VP8 ", "\x00\x00\x00\x9d\x01\x2b\x28\x00\x1e\x00")), 0, 0, 0},
		"lossy, no width":              {fileOf(chunkOf("VP8 ", "\x00\x00\x00\x9d\x01\x2a\x00\x00\x1e\x00")), 0, 0, 0},
		"lossless with transparency":   {fileOf(chunkOf("VP8L", string(lossless)+strings.Repeat("\x00", 5))), 40, 30, 4},
		"lossless, no start code":      {fileOf(chunkOf("VP8L", strings.Repeat("\x00", 10))), 0, 0, 0},
		"extended":                     {fileOf(extended(0)), 40, 30, 3},
		"extended with transparency":   {fileOf(extended(flagAlpha)), 40, 30, 4},
		"the largest":                  {fileOf(chunkOf("VP8X", "\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff")), 1 << 24, 1 << 24, 3},
		"another chunk first":          {fileOf(chunkOf("ALPH", strings.Repeat("\x00", 10))), 0, 0, 0},
		"an object that ends too soon": {fileOf(extended(0))[:29], 0, 0, 0},
	} {
		h, err := headtest.Read(Format, c.data)
		if (err != nil) != (c.width == 0) || err == nil && (h.Width != c.width || h.Height != c.height || h.Layout.Components != c.components) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// EXIF counts before XMP, wherever it is, and only what the flags
// announce is looked for.
func TestRead_Orientation(t *testing.T) {
	t.Parallel()
	pixels := chunkOf("VP8 ", "abc")
	for name, c := range map[string]struct {
		data string
		want int
	}{
		"EXIF":                         {fileOf(extended(both), pixels, chunkOf("EXIF", block)), 6},
		"EXIF with a prefix":           {fileOf(extended(both), pixels, chunkOf("EXIF", "Exif\x00\x00"+block)), 6},
		"XMP":                          {fileOf(extended(both), pixels, chunkOf("XMP ", xmp)), 3},
		"XMP before EXIF":              {fileOf(extended(both), chunkOf("XMP ", xmp), pixels, chunkOf("EXIF", block)), 6},
		"EXIF without a value":         {fileOf(extended(both), chunkOf("EXIF", empty), chunkOf("XMP ", xmp)), 3},
		"EXIF that no flag announces":  {fileOf(extended(flagXMP), chunkOf("EXIF", block), chunkOf("XMP ", xmp)), 3},
		"no flags":                     {fileOf(extended(0), chunkOf("EXIF", block), chunkOf("XMP ", xmp)), 1},
		"EXIF that is cut off":         {strings.TrimSuffix(fileOf(extended(both), chunkOf("EXIF", block)), "\x06\x00\x00\x00"), 1},
		"XMP that is cut off":          {strings.TrimSuffix(fileOf(extended(both), chunkOf("XMP ", xmp)), "/>\x00"), 1},
		"a chunk that claims too much": {fileOf(extended(both), "ABCD\xff\xff\xff\xff"), 1},
	} {
		h, err := headtest.Read(Format, c.data)
		if err != nil || h.Orientation != c.want {
			t.Errorf("%s: %+v, %v; want %d", name, h, err, c.want)
		}
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	headtest.Claims(t, Format, headtest.Walk, fileOf(extended(both), chunkOf("EXIF", empty), chunkOf("XMP ", xmp)))
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, []head.Format{Format}, fileOf(extended(both), chunkOf("XMP ", xmp), chunkOf("EXIF", block)), fileOf(extended(both), chunkOf("EXIF", empty), chunkOf("XMP ", xmp)))
}
