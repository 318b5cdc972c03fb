package inventory

import (
	"context"
	"crypto/md5" //nolint:gosec // AWS writes MD5 sums into its manifests
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/stevedore-jobs/stevedore/worker/inventory/parquet"
	"github.com/stevedore-jobs/stevedore/worker/inventory/row"
)

// rows yields the rows of the report with their places, from a place on.
// After an error it yields nothing.
func (l *List) rows(ctx context.Context, from place) iter.Seq2[placed, error] {
	return func(yield func(placed, error) bool) {
		for at := from; at.file < len(l.report.files); at = (place{at.file + 1, 0}) {
			f := l.report.files[at.file]
			next := at.row
			for r, err := range l.fileRows(ctx, f, at.row) {
				if err != nil {
					yield(placed{}, l.invalid(f.Key, err))
					return
				}
				if !yield(placed{r, place{at.file, next}}, nil) {
					return
				}
				next++
			}
		}
	}
}

// placed is a row with its place.
type placed struct {
	row.Row
	place place
}

// fileRows yields the rows of a file after the first skip ones.
func (l *List) fileRows(ctx context.Context, f file, skip int64) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		o, err := find(ctx, l.bucket, f.Key)
		if err == nil && f.Size > 0 && o.Size != f.Size {
			err = fmt.Errorf("it has %d bytes, and %d by the manifest", o.Size, f.Size)
		}
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		if l.report.format == formatParquet {
			in := parquet.Input{Size: o.Size, Part: o.part, Room: l.room.grow}
			parquet.Read(ctx, in, skip)(yield)
			return
		}
		l.csvRows(ctx, o, f, skip)(yield)
	}
}

// csvRows yields the rows of a CSV file after the first skip ones.
func (l *List) csvRows(
	ctx context.Context, o object, f file, skip int64,
) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		body := o.reader(ctx)
		defer func() { _ = body.Close() }()
		sum := md5.New() //nolint:gosec // see the import
		packed := io.TeeReader(body, sum)
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			yield(row.Row{}, fmt.Errorf("it is not packed by gzip: %w", err))
			return
		}
		for r, err := range l.report.columns.Read(ctx, unpacked) {
			if err == nil && skip > 0 {
				skip--
				continue
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := checkSum(packed, sum.Sum, f.MD5); err != nil {
			yield(row.Row{}, err)
		}
	}
}

// checkSum reads the rest of a file and compares its MD5 sum with that
// of the manifest, if there is one.
func checkSum(rest io.Reader, sum func([]byte) []byte, want string) error {
	if _, err := io.Copy(io.Discard, rest); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum(nil)); want != "" && !strings.EqualFold(got, want) {
		return fmt.Errorf("its MD5 sum is %s, and %.40s by the manifest", got, want)
	}
	return nil
}
