// Package csvfile reads the CSV files of S3 Inventory reports, after
// they are unpacked.
//
// AWS writes each value in quotes and each row on one line: keys are
// URL-encoded, so they have no line breaks. The columns are not in the
// file but in the manifest of the report.
package csvfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/worker/inventory/row"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

const (
	// maxLine is how long a row may be, in bytes. A key takes three
	// times its length when it is encoded, and the largest other column,
	// the access control list, is some KiB long.
	maxLine = 128 << 10
	// rowWork is how many steps a row takes beside its bytes.
	rowWork = 256
)

// Read yields the rows of a file. After an error it yields nothing.
// from must not be used meanwhile.
func (c Columns) Read(ctx context.Context, from io.Reader) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		lines := bufio.NewReaderSize(steps.Reader(ctx, from), maxLine)
		var work steps.Counter
		var fields [][]byte
		for number := 1; ; number++ {
			line, err := nextLine(lines)
			if err == nil {
				err = work.Add(ctx, rowWork+len(line))
			}
			if errors.Is(err, io.EOF) {
				return
			}
			var r row.Row
			if err == nil {
				fields, err = split(line, fields[:0])
				if err == nil {
					r, err = c.row(fields)
				}
				if err != nil {
					err = fmt.Errorf("row %d: %w", number, err)
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

var errLongLine = fmt.Errorf("the row is longer than %d bytes", maxLine)

// nextLine returns the next line that is not empty, without its end.
// After the last one it returns io.EOF.
func nextLine(lines *bufio.Reader) ([]byte, error) {
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, errLongLine
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case len(line) > 0:
			return line, nil
		case err != nil:
			return nil, io.EOF
		}
	}
}

// row makes a row of the values of a line.
func (c Columns) row(fields [][]byte) (r row.Row, err error) {
	if len(fields) != c.count {
		return r, fmt.Errorf("there are %d values, and %d columns in the schema",
			len(fields), c.count)
	}
	encoded := string(fields[c.key])
	if r.Key, err = url.QueryUnescape(encoded); err != nil || !utf8.ValidString(r.Key) {
		return r, fmt.Errorf("the key %.200q is not URL-encoded UTF-8", encoded)
	}
	r.Bucket = string(fields[c.bucket])
	if r.Current, err = c.current(fields); err != nil || !r.Current {
		return r, err
	}
	if r.Size, err = strconv.ParseInt(string(fields[c.size]), 10, 64); err != nil {
		return r, fmt.Errorf("the key %.200q has the size %.40q", r.Key, fields[c.size])
	}
	if c.etag >= 0 {
		r.ETag = string(bytes.Trim(fields[c.etag], `"`))
	}
	return r, r.Check()
}

// current reports whether the values are of the latest version, and no
// delete marker. A report of current versions alone has no such columns.
func (c Columns) current(fields [][]byte) (bool, error) {
	latest, err := boolOf(fields, c.latest, true)
	if err != nil {
		return false, err
	}
	deleted, err := boolOf(fields, c.deleted, false)
	return latest && !deleted, err
}

// boolOf returns a value of a column, or what is meant without one.
func boolOf(fields [][]byte, column int, without bool) (bool, error) {
	if column < 0 || len(fields[column]) == 0 {
		return without, nil
	}
	value, err := strconv.ParseBool(string(fields[column]))
	if err != nil {
		return false, fmt.Errorf("%.40q is neither true nor false", fields[column])
	}
	return value, nil
}
