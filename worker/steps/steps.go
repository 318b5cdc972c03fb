// Package steps ends loops over foreign input when their context ends.
//
// Such a loop may take minutes for one object, so it cannot look at its
// context once an object. It counts its work with a Counter instead,
// which looks at the context after every few thousand units. A unit is
// about the work for one byte, one pixel or one point: a few
// nanoseconds.
//
// It knows no job.
package steps

import (
	"context"
	"io"
	"slices"
)

// every is after how many units a Counter looks at the context: less
// than a millisecond of work.
const every = 1 << 13

// Counter counts the work of one goroutine. The zero value is ready.
type Counter struct{ units int }

// Add counts n units of work, done or about to be done. If ctx has
// ended, it returns the cause, at the latest when every units were
// counted since it looked at ctx last.
func (c *Counter) Add(ctx context.Context, n int) error {
	if c.units += n; c.units < every {
		return nil
	}
	return c.look(ctx)
}

func (c *Counter) look(ctx context.Context) error {
	c.units = 0
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// Sort sorts a list, like slices.SortFunc. If ctx ends, it returns the
// cause soon; the order is then undefined.
func Sort[T any](ctx context.Context, list []T, compare func(a, b T) int) error {
	var work Counter
	var ended error
	slices.SortFunc(list, func(a, b T) int {
		if ended == nil {
			ended = work.Add(ctx, comparison)
		}
		if ended != nil {
			return 0 // the rest of the sort takes little time
		}
		return compare(a, b)
	})
	return ended
}

// comparison is how many units it takes to compare two names.
const comparison = 64

// Reader returns a reader of r. After ctx has ended it fails with the
// cause. It does not interrupt a Read of r.
func Reader(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return r.Read(p)
	})
}

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Writer returns a writer to w. After ctx has ended it fails with the
// cause. It does not interrupt a Write of w.
func Writer(ctx context.Context, w io.Writer) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return w.Write(p)
	})
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
