package job

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// PublishResult says what Publish did.
type PublishResult struct {
	Object    providers.Object
	Unchanged bool // the bucket already held exactly this content; nothing was written
}

// Publish stores content under a key, unless the bucket already holds
// exactly this content. write is called up to three times and must
// write the same bytes each time. The whole object is stored, or
// nothing changes.
//
// If someone else replaces the object after Publish has read it,
// Publish fails with Conflict and overwrites nothing. It succeeds if
// they stored the same content, because the same job may run twice at
// once.
func Publish(
	ctx context.Context, b providers.Bucket, key, contentType string, write func(io.Writer) error,
) (PublishResult, error) {
	opts := providers.WriteOptions{ContentType: contentType}
	old, same, err := compare(ctx, b, key, write)
	switch {
	case err == nil && same:
		return PublishResult{Object: old, Unchanged: true}, nil
	case err == nil:
		opts.IfMatch = old.ETag
	case errors.Is(err, providers.NotFound):
		opts.IfAbsent = true
	case errors.Is(err, providers.Denied):
		// The credentials may write but not read. Overwrite unseen.
	default:
		return PublishResult{}, err
	}

	o, err := Put(ctx, b, key, opts, write)
	if errors.Is(err, providers.Conflict) {
		now, same, compareErr := compare(ctx, b, key, write)
		if compareErr == nil && same {
			return PublishResult{Object: now, Unchanged: true}, nil
		}
	}
	if err != nil {
		return PublishResult{}, err
	}
	return PublishResult{Object: o}, nil
}

// CheckTarget looks whether Publish can work on a storage at all. A job
// calls it before it reads the first image, because Publish comes after
// the last one. It returns an error only if the bucket's server is known
// to refuse what Publish needs.
func (e Env) CheckTarget(ctx context.Context, s tasks.Storage) error {
	b, err := e.Open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	return providers.CheckConditions(ctx, b)
}

// WriteParts writes the pieces of Parts.Data one after the other.
func WriteParts(w io.Writer, data iter.Seq2[[]byte, error]) error {
	for piece, err := range data {
		if err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// Put streams what write writes into the bucket. The whole object is
// stored, or nothing changes. Put returns only after write has
// returned.
//
// If write fails by itself, Put returns its error: clients of clouds
// hide the error of a body. If the bucket stops reading early, write
// gets io.ErrClosedPipe. A panic of the bucket or of write is an error,
// as guard.Call makes it.
func Put(
	ctx context.Context, b providers.Bucket, key string, opts providers.WriteOptions,
	write func(io.Writer) error,
) (o providers.Object, err error) {
	r, w := io.Pipe()
	wrote := guard.Go(func() error {
		buffered := bufio.NewWriterSize(w, 1<<16)
		err := guard.Call(func() error { return write(buffered) })
		if err == nil {
			err = buffered.Flush()
		}
		_ = w.CloseWithError(err)
		return err
	})

	err = guard.Call(func() (err error) {
		o, err = b.Put(ctx, key, r, opts)
		return err
	})
	_ = r.Close() // ends write if the bucket did not read all of it
	writeErr := <-wrote
	if writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return providers.Object{}, writeErr
	}
	return o, err
}

// compare reports whether an object holds what write writes. It stops
// at the first difference.
func compare(
	ctx context.Context, b providers.Bucket, key string, write func(io.Writer) error,
) (providers.Object, bool, error) {
	old, err := b.Open(ctx, key, providers.ReadOptions{})
	if err != nil {
		return providers.Object{}, false, err
	}
	defer func() { _ = old.Close() }()
	same, err := sameContent(steps.Reader(ctx, old), write)
	return old.Object, same, err
}

var errDiffers = errors.New("differs")

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

// comparer is a writer that compares what is written to it with old.
// Write fails with errDiffers at the first difference.
type comparer struct {
	old *bufio.Reader
	buf []byte
	err error // why old could not be read; nil if the content differs
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
