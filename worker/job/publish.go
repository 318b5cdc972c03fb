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

// Publish puts content under a key, unless the bucket holds it already. write
// is called up to three times and must write the same bytes each time. The
// object appears whole, or stays as it was; if somebody else replaces it
// between the look and the write, Publish fails with Conflict rather than
// overwrite what it has not seen. Somebody who put the very same content is
// no conflict: the same job may run twice at once.
func Publish(ctx context.Context, b providers.Bucket, key, contentType string, write func(io.Writer) error) (Published, error) {
	opts := providers.WriteOptions{ContentType: contentType}
	old, same, err := look(ctx, b, key, write)
	switch {
	case err == nil && same:
		return Published{Object: old, Unchanged: true}, nil
	case err == nil:
		opts.IfMatch = old.ETag
	case errors.Is(err, providers.NotFound):
		opts.IfAbsent = true
	case errors.Is(err, providers.Denied):
		// A right to write without one to read: overwrite what cannot be
		// seen.
	default:
		return Published{}, err
	}
	o, err := put(ctx, b, key, opts, write)
	if errors.Is(err, providers.Conflict) {
		if now, same, lookErr := look(ctx, b, key, write); lookErr == nil && same {
			return Published{Object: now, Unchanged: true}, nil
		}
	}
	if err != nil {
		return Published{}, err
	}
	return Published{Object: o}, nil
}

// look compares an object with what write writes, and stops at the first
// difference.
func look(ctx context.Context, b providers.Bucket, key string, write func(io.Writer) error) (providers.Object, bool, error) {
	old, err := b.Open(ctx, key, providers.ReadOptions{})
	if err != nil {
		return providers.Object{}, false, err
	}
	defer func() { _ = old.Close() }()
	same, err := sameContent(old, write)
	return old.Object, same, err
}

// put streams what write writes, and ends after write has ended. When write
// fails on its own, that error is returned: no cloud's client hands it on
// unharmed.
func put(ctx context.Context, b providers.Bucket, key string, opts providers.WriteOptions, write func(io.Writer) error) (providers.Object, error) {
	r, w := io.Pipe()
	wrote := make(chan error, 1)
	go func() {
		buffered := bufio.NewWriterSize(w, 1<<16)
		err := Guard(func() error { return write(buffered) })
		if err == nil {
			err = buffered.Flush()
		}
		_ = w.CloseWithError(err)
		wrote <- err
	}()
	o, err := b.Put(ctx, key, r, opts)
	_ = r.Close() // lets write go when Put did not read to the end
	if failed := <-wrote; err != nil && failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		return providers.Object{}, failed
	}
	return o, err
}

var errDiffers = errors.New("differs")

// sameContent compares what write writes with an object's body, and stops at
// the first difference.
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
