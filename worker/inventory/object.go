package inventory

import (
	"context"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// object is an object of a report, always in the version that find has
// found.
type object struct {
	providers.Object
	bucket providers.Bucket
}

// find finds an object.
func find(ctx context.Context, b providers.Bucket, key string) (object, error) {
	o, err := b.Stat(ctx, key)
	o.Key = key
	return object{o, b}, err
}

// part reads n bytes, from off on.
func (o object) part(ctx context.Context, off, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	opts := providers.ReadOptions{Offset: off, Length: n, IfMatch: o.ETag}
	data, err := job.ReadRange(ctx, o.bucket, o.Key, opts)
	if err == nil && int64(len(data)) < n {
		err = fmt.Errorf("it ends after %d bytes", off+int64(len(data)))
	}
	return data, err
}

// pieceSize is how many bytes a request reads of an object that is read
// as a whole. A connection that is open for long, because shards are
// planned meanwhile, may break.
const pieceSize = 8 << 20

// reader returns a reader of the whole object. It must be closed.
func (o object) reader(ctx context.Context) io.ReadCloser {
	r := &pieces{}
	r.open = func() (err error) {
		opts := providers.ReadOptions{Offset: r.next, Length: pieceSize, IfMatch: o.ETag}
		r.next += pieceSize
		r.piece, err = o.bucket.Open(ctx, o.Key, opts)
		return err
	}
	r.size = o.Size
	return r
}

// pieces reads an object piece by piece.
type pieces struct {
	open  func() error // opens the piece at next
	next  int64
	size  int64
	piece io.ReadCloser // nil if none is open
}

// Read implements io.Reader.
func (r *pieces) Read(p []byte) (int, error) {
	for {
		if r.piece == nil {
			if r.next >= r.size {
				return 0, io.EOF
			}
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		n, err := r.piece.Read(p)
		if err != io.EOF {
			return n, err
		}
		if err := r.Close(); err != nil || n > 0 {
			return n, err
		}
	}
}

// Close closes the piece that is open. It implements io.Closer.
func (r *pieces) Close() error {
	if r.piece == nil {
		return nil
	}
	err := r.piece.Close()
	r.piece = nil
	return err
}
