package small

import (
	"encoding/binary"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

var formats = []head.Format{GIF, BMP, PSD, DDS, QOI, Sun, SGI, PCX, WMF, EMF, TGA}

// le16 and le32 return numbers, the lowest byte first.
func le16(numbers ...int) string {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	return string(b)
}

func le32(numbers ...int) string {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return string(b)
}

// gifOf returns a GIF with a screen, a table of colours, what comes
// before the first frame, and the frame.
func gifOf(width, height int, before string, frame ...int) string {
	return "GIF89a" + le16(width, height) + "\x80\x00\x00abcdef" + before + "," + le16(frame...) + "\x00"
}

// wmfOf returns a placeable metafile.
func wmfOf(inch int, corners ...int) string {
	return "\xd7\xcd\xc6\x9a\x00\x00" + le16(corners...) + le16(inch, 0, 0, 0) + "\x01\x00\x09\x00\x00\x03" + string(make([]byte, 20))
}

func emfOf(corners ...int) string {
	return le32(1, 88) + le32(corners...) + le32(0, 0, 0, 0) + " EMF"
}

func bmpOf(header string) string { return "BM" + string(make([]byte, 12)) + header }

// dib40 returns a header of 40 bytes.
func dib40(width, height, bits, compression int) string {
	return le32(40, width, height) + le16(1, bits) + le32(compression) + string(make([]byte, 20))
}

func qoiOf(width, height int) string { return "qoif" + headtest.Uint32(width, height) + "\x04\x00" }

func pcxOf(version, bits, planes byte, corners ...int) string {
	return string([]byte{10, version, 1, bits}) + le16(corners...) + string(make([]byte, 53)) + string([]byte{planes}) + string(make([]byte, 800))
}

func TestRead(t *testing.T) {
	t.Parallel()
	comment := "!\xfe\x03abc\x02de\x00"
	for name, c := range map[string]struct {
		is            head.Format
		data          string
		width, height int // 0 if the head is broken
		refused       bool
	}{
		"GIF: the screen":                      {GIF, gifOf(30, 20, "", 0, 0, 10, 10), 30, 20, false},
		"GIF: the first frame is larger":       {GIF, gifOf(30, 20, comment+comment, 5, 6, 40, 10), 45, 20, false},
		"GIF: other bytes before the frame":    {GIF, gifOf(30, 20, "\x00\x01", 0, 0, 1, 1), 30, 20, false},
		"GIF: neither screen nor frame":        {GIF, gifOf(0, 0, "", 0, 0, 0, 0), 0, 0, false},
		"GIF: no frame":                        {GIF, "GIF89a" + le16(3, 2) + "\x00\x00\x00;", 0, 0, false},
		"GIF: cut in an extension":             {GIF, "GIF89a" + le16(3, 2) + "\x00\x00\x00!\xfe\x09abc", 0, 0, false},
		"BMP: a header of OS/2":                {BMP, bmpOf(le32(12) + le16(7, 5, 1, 24)), 7, 5, false},
		"BMP: rows from the top":               {BMP, bmpOf(dib40(7, -5, 24, 0)), 7, 5, false},
		"BMP: the most negative height":        {BMP, bmpOf(dib40(7, -1<<31, 24, 0)), 0, 0, false},
		"BMP: masks":                           {BMP, bmpOf(dib40(7, 5, 32, 3)), 7, 5, false},
		"BMP: masks with few bits":             {BMP, bmpOf(dib40(7, 5, 8, 3)), 7, 5, true},
		"BMP: JPEG inside":                     {BMP, bmpOf(dib40(7, 5, 24, 4)), 7, 5, true},
		"BMP: 2 bits a pixel":                  {BMP, bmpOf(dib40(7, 5, 2, 0)), 7, 5, true},
		"BMP: no known length":                 {BMP, bmpOf(le32(41) + string(make([]byte, 40))), 0, 0, false},
		"QOI":                                  {QOI, qoiOf(7, 5), 7, 5, false},
		"QOI: too wide":                        {QOI, qoiOf(1<<31, 5), 0, 0, false},
		"QOI: cut":                             {QOI, qoiOf(7, 5)[:13], 0, 0, false},
		"WMF: twips become points":             {WMF, wmfOf(1440, 0, 0, 2880, 1440), 144, 72, false},
		"WMF: corners below zero":              {WMF, wmfOf(72, -10, -20, 10, 20), 20, 40, false},
		"WMF: no inch":                         {WMF, wmfOf(0, 0, 0, 1, 1), 0, 0, false},
		"WMF: right and left exchanged":        {WMF, wmfOf(72, 10, 0, 0, 10), 0, 0, false},
		"EMF":                                  {EMF, emfOf(-10, 0, 90, 50), 100, 50, false},
		"EMF: without its mark":                {EMF, emfOf(0, 0, 1, 1)[:40] + "XEMF", 0, 0, false},
		"PCX: the corners are inside":          {PCX, pcxOf(5, 8, 3, 2, 3, 11, 7), 10, 5, false},
		"PCX: a palette needs room at its end": {PCX, pcxOf(5, 8, 1, 0, 0, 9, 4)[:700], 10, 5, true},
		"PCX: right and left exchanged":        {PCX, pcxOf(5, 8, 3, 11, 0, 2, 4), 0, 0, false},
	} {
		h, err := headtest.Read(c.is, c.data)
		switch {
		case (err != nil) != (c.width == 0):
			t.Errorf("%s: %+v, %v", name, h, err)
		case err == nil && (h.Width != c.width || h.Height != c.height || (h.Refusal != "") != c.refused):
			t.Errorf("%s: %+v, want %d x %d, refused %v", name, h, c.width, c.height, c.refused)
		}
	}
}

// These formats have all in their first bytes; only a GIF has blocks
// before its first frame.
func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	for _, f := range formats {
		switch f.Type {
		case GIF.Type:
			headtest.Claims(t, f, headtest.Walk, gifOf(3, 2, "!\xfe\x01a\x00", 0, 0, 3, 2))
		case WMF.Type:
			headtest.Claims(t, f, headtest.OneRead, wmfOf(1440, 0, 0, 2880, 1440))
		case EMF.Type:
			headtest.Claims(t, f, headtest.OneRead, emfOf(0, 0, 90, 50))
		case BMP.Type:
			headtest.Claims(t, f, headtest.OneRead, bmpOf(dib40(7, -5, 24, 0)), bmpOf(le32(12)+le16(7, 5, 1, 24)))
		case QOI.Type:
			headtest.Claims(t, f, headtest.OneRead, qoiOf(7, 5))
		default:
			headtest.Claims(t, f, headtest.OneRead)
		}
	}
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, formats, gifOf(3, 2, "!\xfe\x01a\x00", 0, 0, 3, 2), wmfOf(1440, 0, 0, 2880, 1440), emfOf(0, 0, 90, 50), qoiOf(7, 5),
		bmpOf(dib40(7, -5, 24, 0)), bmpOf(le32(12)+le16(7, 5, 1, 24)), pcxOf(5, 8, 3, 2, 3, 11, 7)[:128])
}
