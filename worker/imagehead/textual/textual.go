// Package textual reads the heads of types whose header is text. The
// rules are those of Pillow 12.3, which CVAT 2.73 uses.
package textual

import (
	"cmp"
	"errors"
	"strconv"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

const (
	// maxText is how much of an object is searched for the size.
	maxText = 1 << 20
	piece   = 512 // bytes that text asks for at once
)

// text reads an object byte by byte.
type text struct {
	source *head.Source
	is     head.Type
	pos    int64
	end    int64  // of what is searched; 0 for maxText
	rest   []byte // of the last piece
}

// next returns the next byte. It returns head.ErrShort at the end of
// the object.
func (t *text) next() (byte, error) {
	if len(t.rest) == 0 {
		if end := cmp.Or(t.end, maxText); t.pos >= end {
			return 0, head.Corrupt(t.is, "the %s has no size in its first %d bytes", t.is, end)
		}
		n := min(piece, t.source.Size()-t.pos)
		if n <= 0 {
			return 0, head.ErrShort
		}
		b, err := t.source.At(t.pos, n)
		if err != nil {
			return 0, err
		}
		t.rest = b
	}
	b := t.rest[0]
	t.rest, t.pos = t.rest[1:], t.pos+1
	return b, nil
}

// line returns the next line with its line feed, and at most the first bytes
// of it. It returns head.ErrShort if nothing is left.
func (t *text) line(most int) (string, error) {
	var line []byte
	for n := 0; ; n++ {
		b, err := t.next()
		if errors.Is(err, head.ErrShort) && n > 0 {
			return string(line), nil
		}
		if err != nil {
			return "", err
		}
		if len(line) < most {
			line = append(line, b)
		}
		if b == '\n' {
			return string(line), nil
		}
	}
}

// number returns a number of decimal digits, or -1.
func number(s string) int64 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return -1
	}
	return int64(n)
}
