// Package heif reads the heads of HEIF files: HEIC, AVIF and others of
// ISO/IEC 23008-12. It reads the properties of the primary item, which
// is a coded image or a grid of several: its size, how it is turned and
// mirrored, and for HEIC how it is cut. Of an AVIF that is not turned
// it reads the XMP too.
package heif

import (
	"encoding/binary"
	"slices"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/isobmff"
)

// The types of the two formats of this package.
const (
	AVIFType head.Type = "avif"
	HEICType head.Type = "heic"
)

// AVIF is the format of the AV1 Image File Format.
var AVIF = head.Format{
	Type:       AVIFType,
	Extensions: []string{".avif", ".avifs"},
	FirstRead:  4 << 10,
	Matches:    isAVIF,
	Read:       func(s *head.Source) (head.Head, error) { return read(s, AVIFType) },
}

// HEIC is the format of all other HEIF files.
var HEIC = head.Format{
	Type:       HEICType,
	Extensions: []string{".heic", ".heif", ".hif", ".heics", ".heifs"},
	FirstRead:  4 << 10,
	Matches:    isHEIC,
	Read:       func(s *head.Source) (head.Head, error) { return read(s, HEICType) },
}

var be = binary.BigEndian

// brands returns the brands of a file that its start shows, the major
// one first, or nil.
func brands(start []byte) []string {
	if len(start) < 12 || string(start[4:8]) != "ftyp" {
		return nil
	}
	list := []string{string(start[8:12])}
	end := min(int(be.Uint32(start)), len(start))
	for at := 16; at+4 <= end; at += 4 {
		list = append(list, string(start[at:at+4]))
	}
	return list
}

// isAVIF follows Pillow (AvifImagePlugin.py, _accept) and libavif: the
// major brand is AVIF's, or is HEIF's with AVIF's among the others.
func isAVIF(start []byte) bool {
	list := brands(start)
	if list == nil {
		return false
	}
	of := func(b string) bool { return b == "avif" || b == "avis" }
	return of(list[0]) || (list[0] == "mif1" || list[0] == "msf1") && slices.ContainsFunc(list, of)
}

func isHEIC(start []byte) bool {
	return !isAVIF(start) && slices.ContainsFunc(brands(start), func(b string) bool {
		return slices.Contains([]string{
			"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "mif2",
			"msf1", "jpeg", "avci", "j2ki", "vvic",
		}, b)
	})
}

// read finds the box with the items, and in it the properties of the
// primary one.
func read(s *head.Source, t head.Type) (head.Head, error) {
	meta, err := isobmff.Find(s, t, 0, s.Size(), "meta")
	if err != nil {
		return head.Head{}, head.Cut(t, err)
	}
	f := file{source: s, is: t}
	for box, err := range isobmff.Boxes(s, t, meta.Off+4, meta.End()) {
		if err != nil {
			return head.Head{}, head.Cut(t, err)
		}
		switch box.Type {
		case "pitm":
			f.primary, err = f.readPrimary(box)
		case "iprp":
			f.properties = box
		case "iinf":
			f.infos = box
		case "iloc":
			f.locations = box
		case "idat":
			f.data = box
		}
		if err != nil {
			return head.Head{}, head.Cut(t, err)
		}
	}
	h, err := f.head()
	if err == nil && t == AVIFType && h.Orientation == 1 {
		h.Orientation, err = f.metadata()
	}
	return h, head.Cut(t, err)
}
