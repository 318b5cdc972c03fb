package heif

import (
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/isobmff"
)

// file is a HEIF file, as far as it has been read.
type file struct {
	source     *head.Source
	is         head.Type
	primary    uint32      // the ID of the primary item
	properties isobmff.Box // iprp
	infos      isobmff.Box // iinf: the types of the items
	locations  isobmff.Box // iloc: where the items are
	data       isobmff.Box // idat: holds items
}

// maxAssociations is how many items and properties of items are looked
// at.
const maxAssociations = 100_000

// readPrimary reads pitm. Like all boxes here it begins with a version
// and flags, in 4 bytes.
func (f file) readPrimary(box isobmff.Box) (uint32, error) {
	b, err := f.source.At(box.Off, 6)
	if err != nil {
		return 0, err
	}
	if version := b[0]; version == 0 {
		return uint32(be.Uint16(b[4:])), nil
	}
	if b, err = f.source.At(box.Off+4, 4); err != nil {
		return 0, err
	}
	return be.Uint32(b), nil
}

// head applies the properties of the primary item in their order.
func (f file) head() (head.Head, error) {
	list, err := isobmff.Find(f.source, f.is, f.properties.Off, f.properties.End(), "ipco")
	if err != nil {
		return head.Head{}, err
	}
	var boxes []isobmff.Box
	for box, err := range isobmff.Boxes(f.source, f.is, list.Off, list.End()) {
		if err != nil {
			return head.Head{}, err
		}
		boxes = append(boxes, box)
	}
	var p picture
	for box, err := range isobmff.Boxes(f.source, f.is, f.properties.Off, f.properties.End()) {
		if err != nil {
			return head.Head{}, err
		}
		if box.Type != "ipma" {
			continue
		}
		numbers, err := f.associations(box)
		if err != nil {
			return head.Head{}, err
		}
		for _, n := range numbers {
			if n < 1 || n > len(boxes) {
				continue
			}
			if err := f.apply(boxes[n-1], &p); err != nil {
				return head.Head{}, err
			}
		}
	}
	h, err := head.Upright(f.is, p.width, p.height, p.layout)
	if err == nil {
		h.Orientation = p.orientation()
	}
	return h, err
}

// associations reads ipma. It returns the numbers of the primary
// item's properties, in their order. Numbers begin with 1.
func (f file) associations(box isobmff.Box) (numbers []int, err error) {
	r := reader{source: f.source, pos: box.Off, end: box.End()}
	version, flags := r.uint(1), r.uint(3)
	idSize, numberSize := int64(2), int64(1)
	if version > 0 {
		idSize = 4
	}
	if flags&1 != 0 {
		numberSize = 2
	}
	budget := maxAssociations
	for range r.uint(4) {
		id := r.uint(idSize)
		count := r.uint(1)
		if r.err != nil {
			return nil, r.err
		}
		if budget -= int(count) + 1; budget < 0 {
			return nil, head.Corrupt(f.is, "the %s has too many properties", f.is)
		}
		if id != f.primary {
			r.pos += int64(count) * numberSize
			continue
		}
		for range count {
			essential := uint32(1) << (8*numberSize - 1)
			numbers = append(numbers, int(r.uint(numberSize)&^essential))
		}
		break
	}
	return numbers, r.err
}

// reader reads numbers one after the other. After an error it returns
// zeros.
type reader struct {
	source   *head.Source
	pos, end int64
	err      error
}

func (r *reader) uint(bytes int64) (v uint32) {
	if r.err == nil && bytes > r.end-r.pos {
		r.err = head.ErrShort
	}
	if r.err != nil {
		return 0
	}
	var b []byte
	if b, r.err = r.source.At(r.pos, bytes); r.err != nil {
		return 0
	}
	for _, one := range b {
		v = v<<8 | uint32(one)
	}
	r.pos += bytes
	return v
}
