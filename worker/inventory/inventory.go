// Package inventory takes the list of a bucket's objects from an S3
// Inventory report, for buckets where listing takes too long.
//
// A report is a manifest.json that names data files, each with some of
// the rows (Amazon S3 User Guide, "Locating your inventory list"). The
// rows are read as a stream in the order of the files: memory does not
// depend on their number, and they need not be sorted. The first shards
// run while later rows are read.
//
// It knows no kind of job. It never lists a bucket.
package inventory

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/inventory/row"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// Source says which report lists which objects.
type Source struct {
	Report tasks.Storage // where the report is
	Key    string        // of its manifest.json
	Bucket string        // which the report is of
	Prefix string        // other keys do not count

	// Hidden, if set, reports keys that are no objects of the job. It
	// must always return the same for a key.
	Hidden func(key string) bool
}

// List is the list of objects of a report. Close it after use. It is
// for one goroutine at a time.
type List struct {
	source  Source
	bucket  providers.Bucket // where the report is
	report  report
	release func() // gives the memory of the manifest back
	room    room   // of Parquet files
}

// Open reads the manifest of a report. The budget pays for it until the
// list is closed; the caller must hold no share. If the report is not
// of the source's bucket, or cannot be read, the error is Invalid or
// the bucket's own.
func Open(
	ctx context.Context, s Source, budget *memory.Budget,
	open func(context.Context, tasks.Storage) (providers.Bucket, error),
) (_ *List, err error) {
	b, err := open(ctx, s.Report)
	if err != nil {
		return nil, err
	}
	l := &List{source: s, bucket: b, release: func() {}, room: room{budget: budget}}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	o, err := find(ctx, b, s.Key)
	if err != nil {
		return nil, err
	}
	if o.Size > maxManifest {
		err = fmt.Errorf("it has %d bytes, more than %d", o.Size, maxManifest)
		return nil, l.invalid(s.Key, err)
	}
	if l.release, err = budget.Acquire(ctx, manifestMemory*o.Size); err != nil {
		return nil, err
	}
	text, err := o.part(ctx, 0, o.Size)
	if err != nil {
		return nil, err
	}
	if l.report, err = parse(text, s.Bucket); err != nil {
		return nil, l.invalid(s.Key, err)
	}
	return l, nil
}

// Close frees what the list takes. It may be called twice.
func (l *List) Close() {
	_ = l.bucket.Close()
	l.room.release()
	l.release()
}

// has reports whether a row is of an object of the job.
func (l *List) has(r row.Row) bool {
	return r.Current && r.Bucket == l.source.Bucket && l.inPrefix(r.Key) &&
		(l.source.Hidden == nil || !l.source.Hidden(r.Key))
}

func (l *List) inPrefix(key string) bool {
	return len(key) >= len(l.source.Prefix) && key[:len(l.source.Prefix)] == l.source.Prefix
}
