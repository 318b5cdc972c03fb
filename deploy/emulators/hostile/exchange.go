package hostile

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

// exchange is a request, and the right answer to it.
type exchange struct {
	tongue.Tongue
	call tongue.Call
	// right returns the right answer. It reads the whole request.
	right func() tongue.Answer
	count func() int64 // how often the bucket has done something wrong
	w     http.ResponseWriter
	r     *http.Request
}

// begin writes status and header of an answer.
func (x exchange) begin(a tongue.Answer) {
	for name, value := range a.Header {
		x.w.Header().Set(name, value)
	}
	x.w.WriteHeader(a.Status)
	_ = http.NewResponseController(x.w).Flush()
}

// send writes a whole answer.
func (x exchange) send(a tongue.Answer) {
	for name, value := range a.Header {
		x.w.Header().Set(name, value)
	}
	body := a.Body()
	if x.w.Header().Get("Content-Length") == "" && x.r.Method != http.MethodHead {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.w.WriteHeader(a.Status)
	_, _ = io.WriteString(x.w, body)
}

// maxSent ends a body without end, in bytes, when the client does not.
const maxSent = 16 << 30

// repeat writes pieces until the client has gone. piece returns the
// piece with a number.
func (x exchange) repeat(piece func(i int) string) {
	if x.r.Method == http.MethodHead { // net/http sends no body
		return
	}
	const buffered = 64 << 10
	var sent int64
	buffer := make([]byte, 0, 2*buffered)
	for i := 0; sent < maxSent; i++ {
		if buffer = append(buffer, piece(i)...); len(buffer) < buffered {
			continue
		}
		n, err := x.w.Write(buffer)
		if err != nil || x.r.Context().Err() != nil {
			return
		}
		sent += int64(n)
		buffer = buffer[:0]
	}
}

// trickle writes a text a byte at a time.
func trickle(ctx context.Context, w io.Writer, text string) { paced(ctx, w, text, 1, pause) }

// paced writes a text in pieces of n bytes, with pauses between them.
func paced(ctx context.Context, w io.Writer, text string, n int, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for text != "" {
		piece := text[:min(n, len(text))]
		if _, err := io.WriteString(w, piece); err != nil {
			return
		}
		text = text[len(piece):]
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (x exchange) paced(text string, n int, pause time.Duration) {
	paced(x.r.Context(), flusher{x.w}, text, n, pause)
}

// flusher sends all that is written at once.
type flusher struct{ w http.ResponseWriter }

func (f flusher) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	_ = http.NewResponseController(f.w).Flush()
	return n, err
}

// raw sends bytes in place of an answer, and closes the connection.
func (x exchange) raw(text string) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}
