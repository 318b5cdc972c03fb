package textual

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

var formats = []head.Format{PNM, XPM, XBM, FITS, EPS}

// fitsOf returns a FITS header of cards "NAME=value", and pixels.
func fitsOf(cards ...string) string {
	var b strings.Builder
	for _, card := range append(cards, "END") {
		name, value, isValue := strings.Cut(card, "=")
		if isValue {
			card = fmt.Sprintf("%-8s= %20s / comment", name, value)
		}
		fmt.Fprintf(&b, "%-80s", card)
	}
	return fmt.Sprintf("%-2880s", b.String())
}

const (
	simple   = "SIMPLE=T"
	xbmText  = "#define a_width 7\n#define a_height 5\nstatic char a_bits[] = {"
	xpmText  = "/* XPM */\nstatic char *a[] = {\n\"7 5 2 1\",\n\"a c #ff0000\",\n\"b m white c #00ff00\",\n\"aba\"};"
	epsText  = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 10 20 110 70\n%%EndComments\n"
	boxAtEnd = "%!PS-Adobe-3.0 EPSF-3.0\r%%BoundingBox: (atend)\r%%EndComments\r"
	table    = "XTENSION='BINTABLE'"
)

func TestRead(t *testing.T) {
	t.Parallel()
	image := fitsOf(simple, "BITPIX=16", "NAXIS=2", "NAXIS1=7", "NAXIS2=5") + "pixels"
	empty := fitsOf(simple, "BITPIX=8", "NAXIS=0")
	for name, c := range map[string]struct {
		is            head.Format
		data          string
		width, height int // 0 if the head is broken
		refused       bool
	}{
		"PNM: comments between words":         {PNM, "P6 # a\n7 #b\r5\n255\n", 7, 5, false},
		"PNM: a bitmap has no largest value":  {PNM, "P4 7 5\n", 7, 5, false},
		"PNM: 16 bits":                        {PNM, "P5\t7\v5\f65535\n", 7, 5, false},
		"PNM: too large a value":              {PNM, "P5 7 5 65536\n", 0, 0, false},
		"PNM: the value 0":                    {PNM, "P5 7 5 0\n", 0, 0, false},
		"PNM: a word of 11 characters":        {PNM, "P5 00000000007 5 255\n", 0, 0, false},
		"PNM: a word of 10 characters":        {PNM, "P5 0000000007 5 255\n", 7, 5, false},
		"PNM: a negative width":               {PNM, "P5 -7 5 255\n", 0, 0, false},
		"PNM: cut":                            {PNM, "P5 7 5 25", 0, 0, false},
		"PFM: a scale":                        {PNM, "Pf 7 5 -1.0\n", 7, 5, false},
		"PFM: with colours":                   {PNM, "PF 7 5 -1.0\n", 7, 5, true},
		"PFM: the scale 0":                    {PNM, "Pf 7 5 0.0\n", 0, 0, false},
		"PFM: an infinite scale":              {PNM, "Pf 7 5 inf\n", 0, 0, false},
		"PAM: lines in any order":             {PNM, "P7\nDEPTH 4\nHEIGHT 5\nTUPLTYPE RGB_ALPHA\nWIDTH 7\nENDHDR\n", 7, 5, true},
		"PAM: without a height":               {PNM, "P7\nWIDTH 7\nDEPTH 4\nENDHDR\n", 0, 0, false},
		"PAM: without an end":                 {PNM, "P7\nWIDTH 7\nHEIGHT 5\n", 0, 0, false},
		"XPM":                                 {XPM, xpmText, 7, 5, false},
		"XPM: a colour by its name":           {XPM, strings.Replace(xpmText, "#ff0000", "red", 1), 7, 5, true},
		"XPM: no colour":                      {XPM, strings.Replace(xpmText, "a c #ff0000", "", 1), 7, 5, true},
		"XPM: pixels of 101 characters":       {XPM, strings.Replace(xpmText, "2 1\"", "2 101\"", 1), 7, 5, true},
		"XPM: fewer colours than it says":     {XPM, strings.Replace(xpmText, "5 2 1", "5 4000000000 1", 1), 7, 5, true},
		"XPM: no size":                        {XPM, "/* XPM */\n\"a\"\n", 0, 0, false},
		"XBM":                                 {XBM, xbmText, 7, 5, false},
		"XBM: a hot spot":                     {XBM, strings.Replace(xbmText, "static", "#define a_x_hot 1\n#define a_y_hot 1\nstatic", 1), 7, 5, false},
		"XBM: the height first":               {XBM, "#define a_height 5\n#define a_width 7\nchar a_bits[]", 0, 0, false},
		"XBM: pixels behind the first bytes":  {XBM, strings.Replace(xbmText, "static", strings.Repeat(" ", 500), 1), 0, 0, false},
		"XBM: more than 32 bits":              {XBM, strings.Replace(xbmText, "7", "4294967303", 1), 0, 0, false},
		"FITS":                                {FITS, image, 7, 5, false},
		"FITS: one axis is the height":        {FITS, fitsOf(simple, "BITPIX=8", "NAXIS=1", "NAXIS1=5") + "x", 1, 5, false},
		"FITS: unknown bits":                  {FITS, fitsOf(simple, "BITPIX=24", "NAXIS=2", "NAXIS1=7", "NAXIS2=5") + "x", 7, 5, true},
		"FITS: not simple":                    {FITS, strings.Replace(image, "T /", "F /", 1), 0, 0, false},
		"FITS: no pixels":                     {FITS, image[:2880], 0, 0, false},
		"FITS: no END":                        {FITS, strings.Replace(image, "END", "   ", 1), 0, 0, false},
		"FITS: the image is in the next part": {FITS, empty + fitsOf("XTENSION='IMAGE   '", "BITPIX=8", "NAXIS=2", "NAXIS1=7", "NAXIS2=5") + "x", 7, 5, false},
		"FITS: the next part is a table":      {FITS, empty + fitsOf(table, "BITPIX=8", "NAXIS=2", "NAXIS1=7", "NAXIS2=5") + "x", 0, 0, false},
		"FITS: an image in a table":           {FITS, empty + fitsOf(table, "ZIMAGE=T", "NAXIS=2", "NAXIS1=1", "NAXIS2=1", "ZCMPTYPE='GZIP_1  '", "ZBITPIX=8", "ZNAXIS=2", "ZNAXIS1=7", "ZNAXIS2=5") + "x", 7, 5, false},
		"FITS: no image at all":               {FITS, empty, 0, 0, false},
		"EPS: the box in points":              {EPS, epsText, 100, 50, false},
		"EPS: the box at the end":             {EPS, boxAtEnd + "%%Trailer\r%%BoundingBox: 0 0 7.9 5\r%%EOF", 7, 5, false},
		"EPS: no box at the end":              {EPS, boxAtEnd + "%%EOF", 0, 0, false},
		"EPS: pixels count more than the box": {EPS, epsText + "%ImageData: 7 5 8 3 1 1 1 \"x\"\n", 7, 5, false},
		"EPS: behind a header of DOS":         {EPS, "\xc5\xd0\xd3\xc6\x20\x00\x00\x00" + strings.Repeat("\x00", 24) + epsText, 100, 50, false},
		"EPS: text behind the end":            {EPS, "\xc5\xd0\xd3\xc6\xff\xff\xff\xff", 0, 0, false},
		"EPS: words in the box":               {EPS, "%!PS\n%%BoundingBox: a b c d\n", 0, 0, false},
		"EPS: too few numbers":                {EPS, "%!PS\n%%BoundingBox: 1 2\n", 0, 0, false},
	} {
		h, err := headtest.Read(c.is, c.data)
		switch {
		case (err != nil) != (c.width == 0):
			t.Errorf("%s: %+v, %v", name, h, err)
		case err == nil && (h.Width != c.width || h.Height != c.height || c.is.Type != "eps" && (h.Refusal != "") != c.refused):
			t.Errorf("%s: %+v, want %d x %d, refused %v", name, h, c.width, c.height, c.refused)
		}
	}
}

// A text is searched up to its first MiB.
func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	for _, f := range formats {
		budget := headtest.Budget{Reads: 30, Bytes: 2 << 20}
		if f.Type == XBM.Type {
			budget = headtest.OneRead
		}
		headtest.Claims(t, f, budget, map[head.Type][]string{
			PNM.Type:  {"P7\nDEPTH 4\nHEIGHT 5\nWIDTH 7\nENDHDR\n"},
			XPM.Type:  {xpmText},
			XBM.Type:  {xbmText},
			FITS.Type: {fitsOf(simple, "BITPIX=8", "NAXIS=0") + fitsOf("XTENSION='IMAGE   '")},
			EPS.Type:  {epsText, boxAtEnd, "\xc5\xd0\xd3\xc6\x08\x00\x00\x00" + epsText},
		}[f.Type]...)
	}
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, formats, xpmText, xbmText, epsText, boxAtEnd+"%%BoundingBox: 0 0 7.9 5\r", "\xc5\xd0\xd3\xc6\x08\x00\x00\x00"+epsText,
		fitsOf(simple, "BITPIX=8", "NAXIS=0")+fitsOf(table, "ZIMAGE=T"), "P7\nDEPTH 4\nHEIGHT 5\nWIDTH 7\nENDHDR\n", "PF 7 5 -1.0\n", "P5 # a\n7 5\n65535\n")
}
