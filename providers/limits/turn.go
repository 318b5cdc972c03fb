package limits

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"
)

// chunkSize is how much of a page is read before it is decoded, in
// bytes.
const chunkSize = 64 << 10

// maxTurn is how long a turn may last. A decoder needs milliseconds for
// a chunk. An SDK that waits before it tries a request again must not
// keep its turn meanwhile.
const maxTurn = time.Second

// maxDecoding is how many pages of listings a process decodes at once:
// one processor stays free for everything else. With more, each small
// step of another job would wait until all of them have had their time
// of the processors.
func maxDecoding() int { return max(1, runtime.GOMAXPROCS(0)-1) }

// Turn is the right of one listing to decode a page. The bodies of its
// pages take it when they have something to decode, and wait for it
// without a place among the requests of anybody else. Its methods may
// be called at the same time.
type Turn struct {
	mu    sync.Mutex
	of    places // nil while it is not taken
	timer *time.Timer
}

type turnKey struct{}

// WithTurn returns a context for the requests for pages of one listing,
// which come one after the other. After each page, decoded or failed,
// the caller calls Leave. Until then one goroutine must not read a page
// of another listing: it could wait for itself.
func WithTurn(ctx context.Context) (context.Context, *Turn) {
	t := &Turn{}
	return context.WithValue(ctx, turnKey{}, t), t
}

// Leave ends the turn, if there is one.
func (t *Turn) Leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of != nil {
		t.timer.Stop()
		<-t.of
		t.of = nil
	}
}

// take waits for the turn, or until done is closed: then the request
// fails anyway.
func (t *Turn) take(done <-chan struct{}, of places) {
	select {
	case of <- struct{}{}:
	case <-done:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of = of
	if t.timer == nil {
		t.timer = time.AfterFunc(maxTurn, func() { t.Leave() })
	} else {
		t.timer.Reset(maxTurn)
	}
}

// paged is a page of a listing. Its reader has the turn of the listing
// while it decodes a chunk, and gives it back to wait for the server.
type paged struct {
	io.ReadCloser
	done  <-chan struct{} // closed when the context of the request ends
	turn  *Turn
	of    places
	chunk []byte // nil if the reader decodes nothing before the end
	rest  []byte // of the chunk
	err   error  // that comes after the chunk
}

// paged returns the body of a page of a listing that takes turns, and
// any other as it is.
func (t transport) paged(ctx context.Context, b io.ReadCloser) io.ReadCloser {
	turn, _ := ctx.Value(turnKey{}).(*Turn)
	if turn == nil {
		return b
	}
	p := &paged{ReadCloser: b, done: ctx.Done(), turn: turn, of: t.decoding}
	switch o, _ := ctx.Value(operationKey{}).(Operation); o {
	case ListXML, ListJSON:
		p.chunk = make([]byte, chunkSize)
	case LongListXML: // Azure's SDK decodes a page when it has read all of it
	default:
		return b
	}
	return p
}

// Read implements io.Reader.
func (p *paged) Read(b []byte) (int, error) {
	if p.chunk == nil {
		n, err := p.ReadCloser.Read(b)
		if errors.Is(err, io.EOF) {
			p.turn.take(p.done, p.of)
		}
		return n, err
	}
	if len(p.rest) == 0 && p.err == nil {
		p.fill()
	}
	n := copy(b, p.rest)
	if p.rest = p.rest[n:]; n > 0 {
		return n, nil
	}
	return 0, p.err
}

func (p *paged) fill() {
	p.turn.Leave()
	p.rest = p.chunk[:0]
	for len(p.rest) < chunkSize && p.err == nil {
		var n int
		n, p.err = p.ReadCloser.Read(p.chunk[len(p.rest):chunkSize])
		p.rest = p.chunk[: len(p.rest)+n : chunkSize]
	}
	p.turn.take(p.done, p.of)
}
