package tiff

import (
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// directory is the first directory of a file.
type directory struct {
	variant
	source *head.Source

	width, height, bits, samples, orientation number
	xmp                                       valueRange
}

// number is the first value of an entry. It is not set if the directory
// has no such entry.
type number struct {
	value int64
	isSet bool
}

// valueRange is where the values of an entry are.
type valueRange struct{ off, n int64 }

// read reads the entries of the directory at an offset. Of several
// entries of a tag the last one counts. A directory that is cut off has
// the entries before that, as in Pillow.
func (d *directory) read(at int64) error {
	b, err := d.source.At(at, d.counter)
	if err != nil {
		return err
	}
	count := int64(d.order.Uint16(b))
	if d.big {
		count = d.offset(b)
	}
	if count < 0 || count > maxEntries {
		return head.Corrupt(Type, "the TIFF says that its directory has %d entries", count)
	}
	for i := range count {
		off := at + d.counter + i*d.entrySize()
		text, err := d.source.At(off, d.entrySize())
		if errors.Is(err, head.ErrShort) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := d.add(off, text); err != nil {
			return err
		}
	}
	return nil
}

// add reads an entry, which is text, from an offset.
func (d *directory) add(off int64, text []byte) (err error) {
	tag, kind := d.order.Uint16(text), d.order.Uint16(text[2:])
	count := d.offset(text[4:])
	to := map[uint16]*number{
		tagWidth: &d.width, tagHeight: &d.height, tagBits: &d.bits, tagSamples: &d.samples,
		tagOrient: &d.orientation,
	}[tag]
	size, known := sizes[kind]
	if !known || count < 1 || count > d.source.Size() || to == nil && tag != tagXMP {
		return nil
	}
	at, end := off+4+d.word, 4+2*d.word
	if size*count > d.word {
		at, end = d.offset(text[4+d.word:]), 0
	}
	if tag == tagXMP {
		d.xmp = valueRange{at, size * count}
		return nil
	}
	value := text[4+d.word : 4+2*d.word]
	if end == 0 {
		if value, err = d.source.At(at, size); err != nil {
			return head.IgnoreShort(err)
		}
	}
	*to = d.number(kind, value)
	return nil
}

// sizes holds how many bytes a value of each kind takes (TIFF 6.0,
// section 2; BigTIFF: 16 to 18).
var sizes = map[uint16]int64{
	1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
	16: 8, 17: 8, 18: 8,
}

// number returns a whole number of a kind.
func (d *directory) number(kind uint16, value []byte) (n number) {
	switch kind {
	case 3:
		return number{int64(d.order.Uint16(value)), true}
	case 8:
		return number{int64(int16(d.order.Uint16(value))), true}
	case 4, 13:
		return number{int64(d.order.Uint32(value)), true}
	case 9:
		return number{int64(int32(d.order.Uint32(value))), true}
	case 16, 18:
		if n := d.order.Uint64(value); n < 1<<maxSideBits {
			return number{int64(n), true}
		}
	}
	return number{}
}

// head makes the head of what was read.
func (d *directory) head() (head.Head, error) {
	width, height := d.width.value, d.height.value
	if !d.width.isSet || !d.height.isSet {
		return head.Head{}, head.Corrupt(Type, "the TIFF does not say how large its image is")
	}
	if width < 1 || height < 1 || width >= 1<<maxSideBits || height >= 1<<maxSideBits {
		return head.Head{}, head.Corrupt(Type, "the TIFF's directory says %d x %d", width, height)
	}
	h := head.Head{
		Type: Type, Width: int(width), Height: int(height),
		Layout: head.Layout{
			Bits: max(1, int(d.bits.value)), Components: max(1, int(d.samples.value)),
		},
	}
	if d.orientation.isSet {
		h.Orientation = exif.Valid(int(d.orientation.value))
		return h, nil
	}
	h.Orientation = 1
	if d.xmp.n == 0 || d.xmp.n > maxXMP {
		return h, nil
	}
	text, err := d.source.At(d.xmp.off, d.xmp.n)
	if err != nil {
		return h, head.IgnoreShort(err)
	}
	h.Orientation = exif.Valid(exif.XMPOrientation(text))
	return h, nil
}
