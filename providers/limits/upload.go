package limits

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxUnsent is how long a server may take for the next 32 KiB of a
// request's body, and for its answer after the last of them.
const maxUnsent = time.Minute

// upload watches how a server takes the body of a request. Time that
// the body itself needs to be read does not count.
type upload struct {
	request request
	cancel  context.CancelFunc

	mu    sync.Mutex
	timer *time.Timer // runs while the server takes bytes; guarded by mu
	slow  bool        // it has ended the request; guarded by mu
	ended bool        // there is an answer; guarded by mu
}

func newUpload(r request, cancel context.CancelFunc) *upload {
	return &upload{request: r, cancel: cancel}
}

// watched returns a request whose body is watched. A request that is
// sent again over another connection reads its body again.
func (u *upload) watched(r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	r.Body = &uploadBody{r.Body, u}
	if again := r.GetBody; again != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			return &uploadBody{body, u}, nil
		}
	}
	return r
}

// pause stops the time, because the server waits for the worker.
func (u *upload) pause() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.timer != nil {
		u.timer.Stop()
	}
}

// resume starts the time, because the worker waits for the server.
func (u *upload) resume() {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.ended:
	case u.timer == nil:
		u.timer = time.AfterFunc(maxUnsent, func() { u.expire() })
	default:
		u.timer.Reset(maxUnsent)
	}
}

func (u *upload) expire() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.ended {
		u.slow = true
		u.cancel()
	}
}

// end stops the watch. It returns err, or why the upload was ended.
func (u *upload) end(err error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	if u.timer != nil {
		u.timer.Stop()
	}
	if u.slow {
		return u.request.tooSlow(fmt.Sprintf("took no byte for %s", maxUnsent))
	}
	return err
}

// uploadBody is the body of a request.
type uploadBody struct {
	io.ReadCloser
	upload *upload
}

// Read implements io.Reader.
func (b *uploadBody) Read(p []byte) (int, error) {
	b.upload.pause()
	defer b.upload.resume()
	return b.ReadCloser.Read(p)
}
