package heif

import (
	"slices"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/isobmff"
)

const (
	maxItems = 10_000
	maxXMP   = 1 << 20
)

// metadata finds the items with EXIF and XMP, and returns the
// orientation of the XMP if the EXIF has none; else 1. Pillow does so
// for an AVIF that is neither turned nor mirrored by its properties.
// Broken metadata counts as none.
func (f file) metadata() (int, error) {
	if f.infos.Type == "" || f.locations.Type == "" {
		return 1, nil
	}
	exifID, xmpID, err := f.findItems()
	if err != nil || xmpID == 0 {
		return 1, head.IgnoreShort(err)
	}
	places, err := f.locate(exifID, xmpID)
	if err != nil {
		return 1, head.IgnoreShort(err)
	}
	// An EXIF item begins with the offset of its TIFF block.
	if place := places[exifID]; exifID != 0 && place.size > 4 {
		b, err := f.source.At(place.off, 4)
		if err != nil {
			return 1, head.IgnoreShort(err)
		}
		skip := 4 + int64(be.Uint32(b))
		_, found, err := exif.Orientation(
			exif.BlockAt(f.source, place.off+skip, max(place.size-skip, 0)))
		if err != nil || found {
			return 1, head.IgnoreShort(err)
		}
	}
	place := places[xmpID]
	text, err := f.source.At(place.off, min(place.size, maxXMP))
	if err != nil {
		return 1, head.IgnoreShort(err)
	}
	return exif.Valid(exif.XMPOrientation(text)), nil
}

// findItems reads iinf. It returns the IDs of the first items with EXIF
// and XMP, or 0.
func (f file) findItems() (exifID, xmpID uint32, err error) {
	skip := int64(6)
	b, err := f.source.At(f.infos.Off, 1)
	if err != nil {
		return 0, 0, err
	}
	if b[0] > 0 {
		skip = 8
	}
	for box, err := range isobmff.Boxes(f.source, f.is, f.infos.Off+skip, f.infos.End()) {
		if err != nil {
			return 0, 0, err
		}
		r := reader{source: f.source, pos: box.Off, end: box.End()}
		idSize := int64(2)
		if version := r.uint(4) >> 24; version > 2 {
			idSize = 4
		}
		id := r.uint(idSize)
		r.uint(2) // protection
		kind := r.uint(4)
		if r.err != nil {
			return 0, 0, r.err
		}
		switch string(be.AppendUint32(nil, kind)) {
		case "Exif":
			exifID = first(exifID, id)
		case "mime": // Pillow writes no others
			xmpID = first(xmpID, id)
		}
	}
	return exifID, xmpID, nil
}

func first(known, id uint32) uint32 {
	if known != 0 {
		return known
	}
	return id
}

// place is where the content of an item is in the file.
type place struct{ off, size int64 }

// locate reads iloc. It returns the places of the first extents of
// items.
func (f file) locate(ids ...uint32) (map[uint32]place, error) {
	r := reader{source: f.source, pos: f.locations.Off, end: f.locations.End()}
	version := r.uint(4) >> 24
	sizes := r.uint(2)
	offsetSize, lengthSize := int64(sizes>>12), int64(sizes>>8&15)
	baseSize, indexSize := int64(sizes>>4&15), int64(sizes&15)
	idSize := int64(2)
	if version == 2 {
		idSize = 4
	}
	places := map[uint32]place{}
	for range min(r.uint(idSize), maxItems) {
		id, method := r.uint(idSize), uint32(0)
		if version > 0 {
			method = r.uint(2) & 15
		} else {
			indexSize = 0
		}
		r.uint(2) // of data references
		base := r.wide(baseSize)
		count := r.uint(2)
		r.pos += indexSize
		p := place{base + r.wide(offsetSize), r.wide(lengthSize)}
		r.pos += int64(max(count, 1)-1) * (indexSize + offsetSize + lengthSize)
		if method == 1 {
			p.off += f.data.Off
		}
		if r.err != nil {
			return nil, r.err
		}
		if slices.Contains(ids, id) && count == 1 {
			places[id] = p
		}
	}
	return places, r.err
}

// wide reads a number of up to 8 bytes. Larger ones than 2^62 count as
// errors.
func (r *reader) wide(bytes int64) int64 {
	if bytes <= 4 {
		return int64(r.uint(bytes))
	}
	high := r.uint(bytes - 4)
	low := r.uint(4)
	if r.err == nil && high >= 1<<30 {
		r.err = head.ErrShort
	}
	return int64(high)<<32 | int64(low)
}
