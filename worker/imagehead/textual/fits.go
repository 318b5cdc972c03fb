package textual

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// FITS is the Flexible Image Transport System (FITS Standard 4.0).
var FITS = head.Format{
	Type:       "fits",
	Extensions: []string{".fits", ".fit"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "SIMPLE"),
	Read:       readFITS,
}

const (
	fitsCard  = 80
	fitsBlock = 2880
)

// readFITS reads the headers up to the first that has an image, as
// Pillow does (FitsImagePlugin.py).
func readFITS(s *head.Source) (head.Head, error) {
	cards := map[string]string{}
	for pos := int64(0); pos < maxText; {
		b, err := s.At(pos, fitsCard)
		if err != nil {
			return head.Head{}, head.Cut("fits", err)
		}
		pos += fitsCard
		name := strings.TrimSpace(string(b[:8]))
		value, _, _ := strings.Cut(string(b[8:]), "/")
		value = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(value), "="))
		if pos == fitsCard && value != "T" {
			return head.Head{}, head.Corrupt("fits", "the fits does not begin with SIMPLE = T")
		}
		if name != "END" {
			if fitsNames[name] {
				cards[name] = value
			}
			continue
		}
		pos = (pos + fitsBlock - 1) / fitsBlock * fitsBlock
		if cards["NAXIS"] == "0" {
			b, err := s.At(pos, fitsCard)
			if head.IgnoreShort(err) != nil {
				return head.Head{}, err
			}
			if err == nil && strings.HasPrefix(string(b), "XTENSION") {
				continue // the image is in the next part
			}
			return head.Head{}, head.Corrupt("fits", "the fits has no image")
		}
		if pos >= s.Size() {
			return head.Head{}, head.Corrupt("fits", "the fits ends before its pixels")
		}
		return fitsImage(cards)
	}
	return head.Head{}, head.Corrupt("fits", "the fits has no size in its first %d bytes", maxText)
}

// fitsNames are the cards that say something about the size.
var fitsNames = map[string]bool{
	"XTENSION": true, "NAXIS": true, "NAXIS1": true, "NAXIS2": true, "BITPIX": true,
	"ZIMAGE": true, "ZCMPTYPE": true, "ZNAXIS": true, "ZNAXIS1": true, "ZNAXIS2": true,
	"ZBITPIX": true,
}

// fitsImage returns the head of an image, or of a compressed one in a
// table. Of more than two axes the first two count.
func fitsImage(cards map[string]string) (head.Head, error) {
	prefix, table := "", cards["XTENSION"] == "'BINTABLE'"
	if table && cards["ZIMAGE"] == "T" {
		prefix = "Z"
	} else if kind := cards["XTENSION"]; kind != "" && !strings.HasPrefix(kind, "'IMAGE") {
		return head.Head{}, head.Corrupt("fits", "the fits has a table, and no image")
	}
	axes := number(cards[prefix+"NAXIS"])
	width, height := number(cards[prefix+"NAXIS1"]), number(cards[prefix+"NAXIS2"])
	if axes == 1 {
		width, height = 1, width
	}
	bits := map[string]int{"8": 8, "16": 16, "32": 32, "-32": 32, "-64": 64}[cards[prefix+"BITPIX"]]
	h, err := head.Upright("fits", width, height, head.Layout{Bits: bits, Components: 1})
	switch {
	case bits == 0:
		h.Refusal = fmt.Sprintf("the FITS has pixels of %s bits", cards[prefix+"BITPIX"])
	case table && strings.TrimSpace(strings.Trim(cards["ZCMPTYPE"], "'")) != "GZIP_1":
		h.Refusal = fmt.Sprintf("the FITS is compressed as %s", cards["ZCMPTYPE"])
	}
	return h, err
}
