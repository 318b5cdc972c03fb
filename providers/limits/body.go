package limits

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// maxIdle is how long a server may send nothing while the worker
	// waits for it.
	maxIdle = 30 * time.Second
	// minRate is the least number of bytes a second, on average over
	// rateWindow. 32 reads at once over a line of 256 kbit/s get that
	// much each.
	minRate    = 1 << 10
	rateWindow = time.Minute
	// maxWhole is how long the worker waits for a whole answer that is
	// not the content of an object.
	maxWhole = 10 * time.Minute
)

// body is the body of an answer, within its limits. After its first
// error it returns that error forever.
type body struct {
	from    io.ReadCloser
	request request
	limit   limit
	form    form // nil if nothing is counted
	place   place
	cancel  context.CancelFunc

	idle   *time.Timer   // ends the request; it runs only during a Read
	read   int64         // bytes, all in all
	window int64         // bytes since the rate was checked
	waited time.Duration // in calls of Read since then
	whole  time.Duration // in calls of Read, all in all
	err    error
}

// Read implements io.Reader. Only the time that it waits for the server
// counts. A caller that is slow itself does no harm.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.limit.bytes > 0 { // one byte more shows that the limit is exceeded
		p = p[:min(int64(len(p)), b.limit.bytes-b.read+1)]
	}
	n, err := b.wait(p)
	if beyond := b.check(p[:n]); beyond != nil {
		n, err = 0, beyond
	}
	if err != nil {
		b.err = err
		b.end()
	}
	return n, err
}

// wait reads from the server. It ends the request if nothing comes for
// too long, or too little.
func (b *body) wait(p []byte) (int, error) {
	if b.idle == nil {
		b.idle = time.AfterFunc(maxIdle, func() { b.cancel() })
	} else {
		b.idle.Reset(maxIdle)
	}
	start := time.Now()
	n, err := b.from.Read(p)
	expired := !b.idle.Stop()
	if errors.Is(err, io.EOF) {
		return n, err
	}
	waited := time.Since(start)
	b.waited += waited
	b.window += int64(n)
	b.whole += waited
	switch {
	case expired:
		return 0, b.request.tooSlow(fmt.Sprintf("sent nothing for %s", maxIdle))
	case b.limit.bytes > 0 && b.whole > maxWhole:
		return 0, b.request.tooSlow(fmt.Sprintf("did not finish its answer in %s", maxWhole))
	case b.waited < rateWindow:
		return n, err
	case b.window < int64(minRate*b.waited.Seconds()):
		return 0, b.request.tooSlow(fmt.Sprintf("sent %d bytes in %s, less than %d a second",
			b.window, b.waited.Round(time.Second), minRate))
	}
	b.window, b.waited = 0, 0
	return n, err
}

// check counts what was read. It returns an error if it is too much.
func (b *body) check(p []byte) error {
	b.read += int64(len(p))
	switch {
	case b.limit.bytes == 0:
	case b.read > b.limit.bytes:
		return b.request.tooMuch("more than " + size(b.limit.bytes))
	case b.read > maxSmall && !b.place.take():
		return b.request.busy()
	}
	if b.form == nil {
		return nil
	}
	if excess := b.form.scan(p); excess != "" {
		return b.request.tooMuch(excess)
	}
	return nil
}

// end ends the request. It may be called more than once, and during a
// Read.
func (b *body) end() {
	b.cancel()
	b.place.leave()
}

// Close implements io.Closer. It reads nothing more.
func (b *body) Close() error {
	err := b.from.Close()
	b.end()
	return err
}
