package parquet

import "errors"

// The types of pages (parquet.thrift, PageType).
const (
	pageData       = 0
	pageDictionary = 2
	pageDataV2     = 3
)

// The encodings that are read (parquet.thrift, Encoding).
const (
	encodingPlain           = 0
	encodingPlainDictionary = 2
	encodingRLE             = 3
	encodingRLEDictionary   = 8
)

// header is the header of a page.
type header struct {
	kind         int64
	unpacked     int64 // bytes
	packed       int64 // bytes
	values       int64
	encoding     int64
	levels       int64 // encoding of the definition levels of a data page
	levelsSize   int64 // bytes of these in a page of version 2
	uncompressed bool  // a page of version 2 that is not packed
}

// parseHeader reads a PageHeader at the start of a text, and returns how
// long it is.
func parseHeader(text []byte) (h header, length int, err error) {
	c := &cursor{rest: text}
	h.values = -1
	c.fields(func(number int16, kind byte) {
		switch {
		case number <= 3 && kind == 5:
			h.set(number, c.integer())
		case kind == thriftStruct && (number == 5 || number == 7 || number == 8):
			h.parsePart(c, number)
		default:
			c.skip(kind)
		}
	})
	switch {
	case c.err != nil:
		return h, 0, c.err
	case h.values < 0 && h.kind != 1, h.packed < 0, h.unpacked < 0, h.levelsSize < 0:
		return h, 0, errors.New("the header of a page is broken")
	}
	return h, len(text) - len(c.rest), nil
}

func (h *header) set(number int16, value int64) {
	switch number {
	case 1:
		h.kind = value
	case 2:
		h.unpacked = value
	case 3:
		h.packed = value
	}
}

// parsePart reads a DataPageHeader (5), a DictionaryPageHeader (7) or a
// DataPageHeaderV2 (8).
func (h *header) parsePart(c *cursor, part int16) {
	c.fields(func(number int16, kind byte) {
		switch {
		case part == 8 && number == 7:
			h.uncompressed = kind == thriftFalse
			c.skip(kind)
		case kind != 5:
			c.skip(kind)
		default:
			h.setPart(part, number, c.integer())
		}
	})
}

func (h *header) setPart(part, number int16, value int64) {
	switch {
	case number == 1:
		h.values = value
	case number == 2 && part != 8, number == 4 && part == 8:
		h.encoding = value
	case number == 3 && part == 5:
		h.levels = value
	case number == 5 && part == 8:
		h.levelsSize = value
	case number == 6 && part == 8 && value != 0:
		h.values = -1 // repetition levels: the columns of reports have none
	}
}
