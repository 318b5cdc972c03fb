package checksum

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/tiff"
)

const (
	typeTIFF = tiff.Type
	// maxTIFF is how large a TIFF may be, in bytes. All of it is held,
	// because its directory and its strips may be anywhere.
	maxTIFF = 64 << 20
)

// The tags of TIFF 6.0, section 8, that say how pixels are stored.
const (
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagStripOffsets = 273
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagPlanar       = 284
	tagTileOffsets  = 324
	tagExtraSamples = 338
	tagSampleFormat = 339
)

// tiffRows reads the strips of a TIFF without compression.
type tiffRows struct {
	data     []byte
	offsets  []uint32 // of the strips
	perStrip int      // rows
	size     int      // bytes of a row
	y        int
}

// openTIFF takes grey, palette and RGB pixels with samples of 8 bits, in
// strips. Pillow has the same bytes (TiffImagePlugin, OPEN_INFO).
func openTIFF(h head.Head, body *bufio.Reader) (rows, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxTIFF+1))
	if err != nil {
		return nil, err
	}
	tags, err := readTags(data)
	if err != nil {
		return nil, err
	}
	samples, photometric := tags.only(tagSamples, 1), tags.only(tagPhotometric, 0)
	isRGB := samples == 3 && photometric == 2
	isByte := samples == 1 && (photometric == 1 || photometric == 3)
	isPlain := tags.only(tagCompression, 1) == 1 && tags.only(tagPlanar, 1) == 1 &&
		tags.only(tagFillOrder, 1) == 1 &&
		tags[tagTileOffsets] == nil && tags[tagExtraSamples] == nil
	for _, bits := range tags[tagBits] {
		isPlain = isPlain && bits == 8
	}
	for _, format := range tags[tagSampleFormat] {
		isPlain = isPlain && format == 1
	}
	if !isPlain || !isRGB && !isByte || len(tags[tagBits]) != int(samples) {
		return nil, ErrNone
	}
	perStrip := min(int64(tags.only(tagRowsPerStrip, uint32(h.Height))), int64(h.Height))
	if perStrip < 1 || int64(len(tags[tagStripOffsets]))*perStrip < int64(h.Height) {
		return nil, ErrNone
	}
	return &tiffRows{
		data: data, offsets: tags[tagStripOffsets], perStrip: int(perStrip),
		size: h.Width * int(samples),
	}, nil
}

func (r *tiffRows) next() ([]byte, error) {
	at := int64(r.offsets[r.y/r.perStrip]) + int64(r.y%r.perStrip)*int64(r.size)
	if at+int64(r.size) > int64(len(r.data)) {
		return nil, ErrNone
	}
	r.y++
	return r.data[at : at+int64(r.size)], nil
}

// tags holds the whole numbers of a directory.
type tags map[uint16][]uint32

// only returns the one value of a tag, or what it is if it is absent. It
// returns 2^32-1 if there are several.
func (t tags) only(tag uint16, absent uint32) uint32 {
	switch values := t[tag]; len(values) {
	case 0:
		return absent
	case 1:
		return values[0]
	}
	return 1<<32 - 1
}

// maxValues is how many values of all tags are read.
const maxValues = 1 << 20

// readTags reads the first directory of a TIFF that is not a BigTIFF.
func readTags(data []byte) (tags, error) {
	if len(data) < 8 || len(data) > maxTIFF {
		return nil, ErrNone
	}
	order := exif.ByteOrder(data)
	if order == nil {
		return nil, ErrNone
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return nil, ErrNone
	}
	list, budget := tags{}, int64(maxValues)
	for i := range int64(order.Uint16(data[at:])) {
		from := at + 2 + 12*i
		if from+12 > int64(len(data)) {
			return nil, ErrNone
		}
		entry := data[from : from+12]
		size := map[uint16]int64{3: 2, 4: 4}[order.Uint16(entry[2:])]
		count := int64(order.Uint32(entry[4:]))
		if size == 0 {
			continue
		}
		place := entry[8:]
		if size*count > 4 {
			off := int64(order.Uint32(place))
			if off+size*count > int64(len(data)) {
				return nil, ErrNone
			}
			place = data[off:]
		}
		if budget -= count; budget < 0 {
			return nil, ErrNone
		}
		list[order.Uint16(entry)] = numbers(order, place, size, count)
	}
	return list, nil
}

func numbers(order binary.ByteOrder, from []byte, size, count int64) []uint32 {
	list := make([]uint32, count)
	for i := range list {
		if size == 2 {
			list[i] = uint32(order.Uint16(from[2*i:]))
		} else {
			list[i] = order.Uint32(from[4*i:])
		}
	}
	return list
}
