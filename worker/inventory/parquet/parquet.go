// Package parquet reads the Parquet files of S3 Inventory reports.
//
// It reads a few columns without nesting, page by page, with the
// encodings that AWS writes. Memory is bounded by the sizes of pages,
// and nothing is allocated because a file claims a size: the libraries
// for Parquet do that, for lists of the metadata and for texts.
//
// The format is that of parquet-format 2.10 of Apache (parquet.thrift,
// Encodings.md).
package parquet

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/worker/inventory/row"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// Input is a file.
type Input struct {
	Size int64
	// Part returns n bytes from off on, and fails if there are fewer.
	Part func(ctx context.Context, off, n int64) ([]byte, error)
	// Room waits for memory of n bytes in all, until the file is read.
	Room func(ctx context.Context, n int64) error
}

const (
	// maxFooter is how long the metadata of a file may be, in bytes.
	maxFooter = 4 << 20
	// pieceSize is how many bytes a request reads of a column.
	pieceSize = 1 << 20
	// rowWork is how many steps a row takes.
	rowWork = 512
)

// MaxMemory is how much memory Input.Room may be asked for: for each
// column a piece, a page packed and not, and a dictionary.
const MaxMemory = maxFooter*3 + needed*(pieceSize+maxHeader+3*maxPage+4*maxEntries)

// Read yields the rows of a file after the first skip ones. After an
// error it yields nothing.
func Read(ctx context.Context, in Input, skip int64) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		m, wanted, err := readMetadata(ctx, in)
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		for n, g := range m.groups {
			if skip >= g.rows {
				skip -= g.rows
				continue
			}
			r := newGroupReader(ctx, in, wanted, g)
			for number := range g.rows {
				one, err := r.next(ctx)
				if err != nil {
					err = fmt.Errorf("row %d of row group %d: %w", number, n, err)
				}
				if err == nil && number < skip {
					continue
				}
				if !yield(one, err) || err != nil {
					return
				}
			}
			skip = 0
		}
	}
}

var errMagic = errors.New("it is no Parquet file")

// readMetadata reads the footer: the metadata, their length and a mark.
func readMetadata(ctx context.Context, in Input) (m metadata, wanted [needed]leaf, err error) {
	const mark, trailer = "PAR1", 8
	if in.Size < int64(len(mark)+trailer) {
		return m, wanted, errMagic
	}
	end, err := in.Part(ctx, in.Size-trailer, trailer)
	switch {
	case err != nil:
		return m, wanted, err
	case string(end[4:]) == "PARE":
		return m, wanted, errors.New("its metadata is encrypted")
	case string(end[4:]) != mark:
		return m, wanted, errMagic
	}
	size := int64(binary.LittleEndian.Uint32(end))
	if size > maxFooter || size > in.Size-trailer-int64(len(mark)) {
		return m, wanted, fmt.Errorf("its metadata has %d bytes", size)
	}
	if err := in.Room(ctx, 3*size); err != nil {
		return m, wanted, err
	}
	text, err := in.Part(ctx, in.Size-trailer-size, size)
	if err != nil {
		return m, wanted, err
	}
	return parseMetadata(text, in.Size)
}

// groupReader reads the rows of a row group.
type groupReader struct {
	columns [needed]*column // nil without such a column
	held    [needed]int64   // bytes that each holds
	work    steps.Counter
}

func newGroupReader(ctx context.Context, in Input, wanted [needed]leaf, g group) *groupReader {
	r := &groupReader{}
	for i, l := range wanted {
		if l.name == "" {
			continue
		}
		from := &pieces{next: g.chunks[i].offset, end: g.chunks[i].offset + g.chunks[i].size}
		from.read = func(off, n int64) ([]byte, error) { return in.Part(ctx, off, n) }
		r.columns[i] = &column{
			leaf: l, chunk: g.chunks[i], left: g.chunks[i].size,
			in: bufio.NewReaderSize(from, maxHeader),
			room: func(ctx context.Context, n int64) error {
				r.held[i] = n + pieceSize + maxHeader
				return in.Room(ctx, r.total())
			},
		}
	}
	return r
}

func (r *groupReader) total() (n int64) {
	for _, held := range r.held {
		n += held
	}
	return n
}

// next returns the next row.
func (r *groupReader) next(ctx context.Context) (one row.Row, err error) {
	if err := r.work.Add(ctx, rowWork); err != nil {
		return one, err
	}
	one.Current = true
	for i, c := range r.columns {
		if c == nil {
			continue
		}
		value, err := c.next(ctx)
		if err != nil {
			return one, fmt.Errorf("the column %s: %w", c.name, err)
		}
		set(&one, i, value)
	}
	switch {
	case !one.Current:
		return one, nil
	case !utf8.ValidString(one.Key):
		return one, fmt.Errorf("the key %.200q is not UTF-8", one.Key)
	}
	return one, one.Check()
}

// set sets the value of a column. A nil value is null. It copies no
// longer text than Check accepts.
func set(one *row.Row, column int, value []byte) {
	switch column {
	case bucketColumn:
		one.Bucket = string(value[:min(len(value), row.MaxText+1)])
	case keyColumn:
		one.Key = string(value[:min(len(value), row.MaxKey+1)])
	case sizeColumn:
		one.Size = integer(value)
	case etagColumn:
		one.ETag = string(value[:min(len(value), row.MaxText+1)])
	case latestColumn:
		one.Current = one.Current && (value == nil || value[0] == 1)
	case deletedColumn:
		one.Current = one.Current && (value == nil || value[0] == 0)
	}
}

// integer returns a size, or -1 for a null.
func integer(value []byte) int64 {
	switch len(value) {
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(value)))
	case 8:
		return int64(binary.LittleEndian.Uint64(value))
	}
	return -1
}

// pieces reads a part of a file piece by piece.
type pieces struct {
	read      func(off, n int64) ([]byte, error)
	next, end int64
	piece     []byte
}

// Read implements io.Reader.
func (p *pieces) Read(to []byte) (int, error) {
	if len(p.piece) == 0 {
		n := min(pieceSize, p.end-p.next)
		if n <= 0 {
			return 0, io.EOF
		}
		piece, err := p.read(p.next, n)
		if err != nil {
			return 0, err
		}
		p.piece, p.next = piece, p.next+n
	}
	n := copy(to, p.piece)
	p.piece = p.piece[n:]
	return n, nil
}
