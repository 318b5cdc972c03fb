package parquet

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// maxPage is how many bytes a page may have, packed or not. Writers
	// of Parquet make pages of about 1 MiB.
	maxPage = 4 << 20
	// maxHeader is how long the header of a page may be. It can hold the
	// smallest and the largest value.
	maxHeader = 64 << 10
)

// column reads the values of a column in one row group.
type column struct {
	leaf
	chunk

	in   *bufio.Reader
	left int64                                    // bytes of the chunk that are not read
	room func(ctx context.Context, n int64) error // asks for memory for all that it holds

	dictionary *dictionary
	inPage     int64   // values of the page that are not read, null too
	levels     *hybrid // 1 for each value that is not null; nil if none is null
	values     values  // of the page
}

// next returns the next value, nil if it is null. It is valid until the
// next call.
func (c *column) next(ctx context.Context) ([]byte, error) {
	for c.inPage == 0 {
		if err := c.nextPage(ctx); err != nil {
			return nil, err
		}
	}
	c.inPage--
	if c.levels != nil {
		level, err := c.levels.next()
		if err != nil || level == 0 {
			return nil, err
		}
	}
	return c.values.next()
}

// nextPage reads the next page.
func (c *column) nextPage(ctx context.Context) error {
	if c.left <= 0 {
		return errors.New("it has fewer values than rows")
	}
	start, err := c.in.Peek(int(min(maxHeader, c.left)))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	h, length, err := parseHeader(start)
	if err != nil {
		return err
	}
	_, _ = c.in.Discard(length) // Peek has read them
	c.left -= int64(length)
	switch {
	case h.packed > c.left:
		return errPage
	case h.packed > maxPage, h.unpacked > maxPage:
		return fmt.Errorf("a page has %d bytes, and more than %d are not supported",
			max(h.packed, h.unpacked), maxPage)
	}
	if err := c.room(ctx, h.packed+h.unpacked+c.dictionary.size()); err != nil {
		return err
	}
	packed := make([]byte, h.packed)
	if _, err := io.ReadFull(c.in, packed); err != nil {
		return err
	}
	c.left -= h.packed
	return c.setPage(ctx, h, packed)
}

// setPage makes a page the current one.
func (c *column) setPage(ctx context.Context, h header, packed []byte) error {
	switch h.kind {
	case pageData:
		text, err := unpack(c.codec, packed, h.unpacked)
		if err != nil {
			return err
		}
		return c.setData(h, text)
	case pageDataV2:
		return c.setDataV2(h, packed)
	case pageDictionary:
		text, err := unpack(c.codec, packed, h.unpacked)
		if err != nil {
			return err
		}
		if err := c.room(ctx, h.packed+h.unpacked+4*min(h.values, maxEntries)); err != nil {
			return err
		}
		c.dictionary, err = newDictionary(text, c.kind, h.values)
		return err
	}
	return nil // an index
}

// size returns how many bytes a dictionary takes. A nil one takes none.
func (d *dictionary) size() int64 {
	if d == nil {
		return 0
	}
	return int64(len(d.text) + 4*cap(d.ends))
}

// setData begins with a page of version 1: the levels have their length
// before them.
func (c *column) setData(h header, text []byte) error {
	var levels []byte
	if c.optional {
		if h.levels != encodingRLE {
			return fmt.Errorf("its levels have the encoding %d, which is not supported", h.levels)
		}
		var err error
		if levels, text, err = prefixed(text); err != nil {
			return err
		}
	}
	return c.begin(h, levels, text)
}

// prefixed splits a text whose first part has its length before it.
func prefixed(text []byte) (first, rest []byte, err error) {
	if len(text) < 4 {
		return nil, nil, errPage
	}
	n := binary.LittleEndian.Uint32(text)
	if text = text[4:]; uint64(n) > uint64(len(text)) {
		return nil, nil, errPage
	}
	return text[:n], text[n:], nil
}

// setDataV2 begins with a page of version 2: the levels are not packed.
func (c *column) setDataV2(h header, packed []byte) error {
	if h.levelsSize > int64(len(packed)) || h.levelsSize > h.unpacked {
		return errPage
	}
	levels, text := packed[:h.levelsSize], packed[h.levelsSize:]
	codec := c.codec
	if h.uncompressed {
		codec = codecNone
	}
	text, err := unpack(codec, text, h.unpacked-h.levelsSize)
	if err != nil {
		return err
	}
	return c.begin(h, levels, text)
}

// begin begins with the values of a page.
func (c *column) begin(h header, levels, text []byte) (err error) {
	c.inPage, c.levels = h.values, nil
	if c.optional {
		runs, _ := newHybrid(levels, 1)
		c.levels = &runs
	}
	switch h.encoding {
	case encodingPlain:
		c.values = &plain{rest: text, kind: c.kind}
		return nil
	case encodingPlainDictionary, encodingRLEDictionary:
		return c.beginIndexed(text)
	case encodingRLE:
		if c.kind == typeBoolean {
			if text, _, err = prefixed(text); err != nil {
				return err
			}
			runs, _ := newHybrid(text, 1)
			c.values = &bools{runs: runs}
			return nil
		}
	}
	return fmt.Errorf("its values have the encoding %d, which is not supported", h.encoding)
}

func (c *column) beginIndexed(text []byte) error {
	if c.dictionary == nil {
		return errors.New("a page refers to a dictionary that is not there")
	}
	if len(text) == 0 { // all values are null
		c.values = &plain{}
		return nil
	}
	places, err := newHybrid(text[1:], uint(text[0]))
	c.values = &indexed{places, c.dictionary}
	return err
}
