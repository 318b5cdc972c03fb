package client

import (
	"context"
	"sync"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// chunkUnit divides every chunk size, in bytes. The API requires that.
const chunkUnit = 256 << 10

// ChunkSizeFor returns the smallest chunk size above n bytes. An upload
// of n bytes with it is one request.
func ChunkSizeFor(n int) int { return (n/chunkUnit + 1) * chunkUnit }

// Writer is the upload of an object. The SDK sends its requests from a
// goroutine of its own. If the transport panics there, Close panics with
// a *guard.PanicError.
type Writer struct{ *storage.Writer }

// Close completes the upload.
func (w *Writer) Close() error {
	err := w.Writer.Close()
	guard.Rethrow(err)
	return err
}

// Send writes a whole body and closes the writer. If both fail, Close has
// the cause.
func Send(w *Writer, content []byte) error {
	_, err := w.Write(content)
	if closeErr := w.Close(); closeErr != nil {
		return closeErr
	}
	return err
}

// NewWriter starts the upload of an object. Each of its requests is made
// at most attempts times. The SDK's WithMaxAttempts has no effect on the
// first request of an upload, which would be repeated until the context
// ends.
func NewWriter(ctx context.Context, o *storage.ObjectHandle, attempts int) *Writer {
	limit := &uploadRetries{maxFailures: attempts}
	w := o.Retryer(storage.WithErrorFunc(limit.again)).NewWriter(asUpload(ctx))
	// A long upload may meet trouble more than once.
	w.ProgressFunc = func(int64) { limit.reset() }
	return &Writer{w}
}

// uploadRetries counts the failed attempts of an upload since its last
// success. It is safe for concurrent use.
type uploadRetries struct {
	maxFailures int

	mu       sync.Mutex
	failures int // guarded by mu
}

// again reports whether a request that failed with err is to be repeated.
// The SDK also calls it after a success, with nil.
func (r *uploadRetries) again(err error) bool {
	if err == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures++
	return r.failures < r.maxFailures && storage.ShouldRetry(err)
}

func (r *uploadRetries) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = 0
}
