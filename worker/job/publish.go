package job

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Published tells what Publish did.
type Published struct {
	Object    providers.Object
	Unchanged bool // the bucket already held exactly this content; nothing was written
}

// Publish puts content under a key, unless the bucket holds it already. write is called up to twice and must write the
// same bytes each time. The object appears whole, or stays as it was; if somebody else replaces it between the look and
// the write, Publish fails with Conflict rather than overwrite what it has not seen.
func Publish(ctx context.Context, b providers.Bucket, key, contentType string, write func(io.Writer) error) (Published, error) {
	opts := providers.WriteOptions{ContentType: contentType}
	old, err := b.Open(ctx, key, providers.ReadOptions{})
	switch {
	case err == nil:
		defer func() { _ = old.Close() }()
		same, err := sameContent(old, write)
		if err != nil {
			return Published{}, err
		}
		if same {
			return Published{Object: old.Object, Unchanged: true}, nil
		}
		opts.IfMatch = old.Object.ETag
	case errors.Is(err, providers.NotFound):
		opts.IfAbsent = true
	case errors.Is(err, providers.Denied):
		// A right to write without one to read: overwrite what cannot be seen.
	default:
		return Published{}, err
	}
	body := stream(write)
	defer func() { _ = body.Close() }() // lets the writer go when Put did not read to the end
	o, err := b.Put(ctx, key, body, opts)
	return Published{Object: o}, err
}

// stream turns a function that writes into a reader. A failed write shows as the reader's error.
func stream(write func(io.Writer) error) *io.PipeReader {
	r, w := io.Pipe()
	go func() {
		buffered := bufio.NewWriterSize(w, 1<<16)
		err := write(buffered)
		if err == nil {
			err = buffered.Flush()
		}
		_ = w.CloseWithError(err)
	}()
	return r
}

var errDiffers = errors.New("differs")

// sameContent compares what write writes with an object's body, and stops at the first difference.
func sameContent(old io.Reader, write func(io.Writer) error) (bool, error) {
	c := &comparer{old: bufio.NewReaderSize(old, 1<<16)}
	switch err := write(c); {
	case errors.Is(err, errDiffers):
		return false, c.err
	case err != nil:
		return false, err
	}
	_, err := c.old.ReadByte()
	if err == io.EOF {
		return true, nil
	}
	return false, err
}

type comparer struct {
	old *bufio.Reader
	buf []byte
	err error // reading the old content failed
}

func (c *comparer) Write(p []byte) (int, error) {
	if cap(c.buf) < len(p) {
		c.buf = make([]byte, len(p))
	}
	n, err := io.ReadFull(c.old, c.buf[:len(p)])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		c.err = err
		return 0, errDiffers
	}
	if !bytes.Equal(p, c.buf[:n]) {
		return 0, errDiffers
	}
	return n, nil
}
