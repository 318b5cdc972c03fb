package heif

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

var formats = []head.Format{AVIF, HEIC}

// Pillow's rule (AvifImagePlugin.py, _accept), and HEIF's other brands.
func TestBrands(t *testing.T) {
	t.Parallel()
	for brands, want := range map[string]head.Type{
		"avif": AVIFType, "avis": AVIFType, "mif1miafavif": AVIFType, "msf1avis": AVIFType, "mif1heic": HEICType,
		"heicavif": HEICType, "heic": HEICType, "mif1": HEICType, "hevxmif1": HEICType, "isom": "", "isomavif": "", "qt  ": "",
	} {
		start := []byte(headtest.Box("ftyp", brands[:4], headtest.Uint32(0), brands[4:]))
		var got head.Type
		for _, f := range formats {
			if f.Matches(start) {
				got += f.Type
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", brands, got, want)
		}
	}
}

// itemOf returns an entry of iinf.
func itemOf(id byte, kind string) string {
	return headtest.Box("infe", "\x02\x00\x00\x00\x00"+string([]byte{id})+"\x00\x00"+kind)
}

// locationOf returns an entry of iloc, with an extent in idat.
func locationOf(id, off, size byte) string {
	return string([]byte{0, id, 0, 1, 0, 0, 0, 1, 0, off, 0, size})
}

// withMetadata returns an AVIF with the items 2 to 4: their types, and
// their contents.
func withMetadata(kinds, contents []string, properties ...string) string {
	box, numbers := headtest.Box, headtest.Uint32
	infos, places := itemOf(1, "av01"), ""
	off := 0
	for i, kind := range kinds {
		infos += itemOf(byte(2+i), kind)
		places += locationOf(byte(2+i), byte(off), byte(len(contents[i])))
		off += len(contents[i])
	}
	more := box("iinf", numbers(0), string([]byte{0, byte(1 + len(kinds))}), infos) +
		box("iloc", "\x01\x00\x00\x00\x22\x00", string([]byte{0, byte(len(kinds))}), places) +
		box("idat", strings.Join(contents, ""))
	file := headtest.HEIF("avif", 40, 25, properties...)
	at := strings.Index(file, "meta") - 4
	return file[:at] + box("meta", file[at+8:], more)
}

// The XMP of an AVIF counts if nothing else turns it, as in Pillow.
func TestMetadata(t *testing.T) {
	t.Parallel()
	const (
		xmp   = `<x tiff:Orientation="6"/>`
		block = "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x03\x00\x00\x00"
		exif  = "\x00\x00\x00\x00" + block
		empty = "\x00\x00\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"
	)
	cut := withMetadata([]string{"mime"}, []string{xmp})
	for name, c := range map[string]struct {
		data string
		want int
	}{
		"XMP":                         {withMetadata([]string{"mime"}, []string{xmp}), 6},
		"EXIF has a value":            {withMetadata([]string{"Exif", "mime"}, []string{exif, xmp}), 1},
		"EXIF behind a few bytes":     {withMetadata([]string{"Exif", "mime"}, []string{"\x00\x00\x00\x02ab" + block, xmp}), 1},
		"EXIF has none":               {withMetadata([]string{"Exif", "mime"}, []string{empty, xmp}), 6},
		"an offset behind the item":   {withMetadata([]string{"Exif", "mime"}, []string{"\xff\xff\xff\xff" + block, xmp}), 6},
		"the first XMP":               {withMetadata([]string{"mime", "mime"}, []string{"", xmp}), 1},
		"a property counts before it": {withMetadata([]string{"mime"}, []string{xmp}, headtest.Box("irot", "\x01")), 8},
		"EXIF alone turns nothing":    {withMetadata([]string{"Exif"}, []string{exif}), 1},
		"the object ends before it":   {cut[:len(cut)-5], 1},
	} {
		h, err := headtest.Read(AVIF, c.data)
		if err != nil || h.Orientation != c.want || h.Width != 40 {
			t.Errorf("%s: %+v, %v; want %d", name, h, err, c.want)
		}
	}
}

// A file says of many items which properties they have. The budget ends
// that.
func TestRead_Refuses(t *testing.T) {
	t.Parallel()
	box, numbers := headtest.Box, headtest.Uint32
	list := box("ipco", box("ispe", numbers(0, 40, 25)))
	meta := func(boxes ...string) string {
		return box("ftyp", "avif", numbers(0)) + box("meta", numbers(0), strings.Join(boxes, ""))
	}
	many := strings.Repeat("\x00\x02\x00", maxAssociations+1)
	for name, data := range map[string]string{
		"no box meta":               box("ftyp", "avif", numbers(0)),
		"no properties":             meta(box("pitm", numbers(0), "\x00\x01")),
		"no size":                   meta(box("pitm", numbers(0), "\x00\x02"), box("iprp", list, box("ipma", numbers(0, 1), "\x00\x01\x01\x01"))),
		"a number of no property":   meta(box("pitm", numbers(0), "\x00\x01"), box("iprp", list, box("ipma", numbers(0, 1), "\x00\x01\x02\x00\x02"))),
		"more items than there are": meta(box("pitm", numbers(0), "\x00\x01"), box("iprp", list, box("ipma", numbers(0, 1<<32-1), "\x00\x02\x01\x01"))),
		"too many items":            meta(box("pitm", numbers(0), "\x00\x01"), box("iprp", list, box("ipma", numbers(0, 1<<31), many))),
		"no pixels":                 strings.Replace(headtest.HEIF("avif", 40, 25), numbers(40, 25), numbers(40, 0), 1),
		"too many pixels":           strings.Replace(headtest.HEIF("avif", 40, 25), numbers(40, 25), numbers(40, 1<<31), 1),
	} {
		if h, err := headtest.Read(AVIF, data); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	xmp := withMetadata([]string{"Exif", "mime"}, []string{"\x00\x00\x00\x00II*\x00\x08\x00\x00\x00\x00\x00", `tiff:Orientation="6"`})
	headtest.Claims(t, AVIF, headtest.Walk, xmp)
	headtest.Claims(t, HEIC, headtest.Walk, headtest.HEIF("heic", 40, 25, headtest.Box("clap", headtest.Uint32(30, 1, 20, 1, 0, 1, 0, 1))))
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, formats, withMetadata([]string{"Exif", "mime"}, []string{"\x00\x00\x00\x00II*\x00\x08\x00\x00\x00\x00\x00", `tiff:Orientation="6"`}),
		headtest.HEIF("heic", 40, 25, headtest.Box("clap", headtest.Uint32(30, 1, 20, 1, 0, 1, 0, 1)), headtest.Box("irot", "\x01"), headtest.Box("imir", "\x01")))
}
