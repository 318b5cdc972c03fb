package jpeg

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

func segmentOf(marker byte, content string) string {
	n := len(content) + 2
	return string([]byte{0xff, marker, byte(n >> 8), byte(n)}) + content
}

// frameOf returns the frame header of an image of 40 x 30 pixels in one
// component.
func frameOf(marker byte) string { return segmentOf(marker, "\x08\x00\x1e\x00\x28\x01\x01\x11\x00") }

// fileOf returns a JPEG of segments, up to its pixels.
func fileOf(segments ...string) string {
	return "\xff\xd8" + strings.Join(segments, "") + segmentOf(markSOS, "\x01\x01\x00\x00\x3f\x00")
}

const block = "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"

func exifOf(block string) string { return segmentOf(markAPP1, exifMagic+block) }

func xmpOf(text string) string { return segmentOf(markAPP1, xmpMagic+text) }

// The markers of frames are those of ITU-T T.81, table B.1.
func TestRead_Markers(t *testing.T) {
	t.Parallel()
	for marker := byte(0xc0); marker <= 0xcf; marker++ {
		h, err := headtest.Read(Format, fileOf(frameOf(marker)))
		isFrame := marker != 0xc4 && marker != 0xc8 && marker != 0xcc
		isProgressive := marker == 0xc2 || marker == 0xc6 || marker == 0xca || marker == 0xce
		if (err == nil) != isFrame || h.Layout.Passes != isProgressive {
			t.Errorf("%x: %+v, %v", marker, h, err)
		}
	}
	for name, junk := range map[string]string{
		"a comment": segmentOf(0xfe, "text"), "another start": "\xff\xd8", "an end": "\xff\xd9", "a restart": "\xff\xd0", "a stuffed byte": "\xff\x00",
		"fill bytes": "\xff\xff\xff", "other bytes": "abc",
	} {
		if h, err := headtest.Read(Format, fileOf(junk, frameOf(0xc0))); err != nil || h.Width != 40 || h.Height != 30 {
			t.Errorf("%s before the frame: %+v, %v", name, h, err)
		}
	}
	if h, err := headtest.Read(Format, fileOf("\xff\x02", frameOf(0xc0))); err == nil {
		t.Errorf("an unknown marker: %+v", h)
	}
}

// All EXIF segments are one block, and the last XMP counts, also behind
// the frame header.
func TestRead_Orientation(t *testing.T) {
	t.Parallel()
	frame := frameOf(0xc0)
	three, five := `tiff:Orientation="3"`, `tiff:Orientation="5"`
	for name, c := range map[string]struct {
		data string
		want int
	}{
		"EXIF in two segments":         {fileOf(exifOf(block[:15]), exifOf(block[15:]), frame), 6},
		"EXIF in three segments":       {fileOf(exifOf(block[:9]), exifOf(block[9:11]), exifOf(block[11:]), frame), 6},
		"other segments between":       {fileOf(exifOf(block[:15]), segmentOf(0xe2, "ICC"), exifOf(block[15:]), frame), 6},
		"EXIF behind the frame header": {fileOf(frame, exifOf(block)), 6},
		"EXIF behind the pixels":       {fileOf(frame) + exifOf(block), 1},
		"the last XMP":                 {fileOf(xmpOf(three), xmpOf(five), frame), 5},
		"the last XMP has no value":    {fileOf(xmpOf(three), xmpOf("x"), frame), 1},
		"EXIF before XMP":              {fileOf(xmpOf(three), frame, exifOf(block), xmpOf(five)), 6},
		"EXIF without a value":         {fileOf(exifOf(block[:10]), xmpOf(five), frame), 5},
	} {
		h, err := headtest.Read(Format, c.data)
		if err != nil || h.Orientation != c.want || h.Refusal != "" {
			t.Errorf("%s: %+v, %v; want %d", name, h, err, c.want)
		}
	}
}

// A JPEG has room for millions of EXIF segments. The time that they take
// must not grow with the square of their number.
func TestRead_ManySegmentsOfEXIF(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(exifOf(""), 1_000_000)
	for name, c := range map[string]struct {
		data string
		want int
	}{
		"before a whole one": {fileOf(many, exifOf(block), frameOf(0xc0)), 1},
		"behind a whole one": {fileOf(exifOf(block), many, frameOf(0xc0)), 6},
	} {
		h, err := headtest.Read(Format, c.data)
		if err != nil || h.Width != 40 || h.Orientation != c.want {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	headtest.Claims(t, Format, headtest.Walk, fileOf(segmentOf(markAPP0, "JFIF\x00\x01\x01"), exifOf(block), xmpOf("x"), frameOf(0xc0)))
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, []head.Format{Format}, fileOf(exifOf(block[:15]), xmpOf(`tiff:Orientation="3"`), exifOf(block[15:]), frameOf(0xc2)),
		fileOf(segmentOf(markAPP0, "JFIF\x00\x01\x01"), segmentOf(markAPPE, "Adobe\x00\x64\x00\x00\x00\x00\x01"), frameOf(0xc0), xmpOf(`tiff:Orientation="3"`)))
}
