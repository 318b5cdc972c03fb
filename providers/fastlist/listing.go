package fastlist

import (
	"context"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// listing is one List. Streams list its segments, while the caller's
// loop takes their pages in order.
type listing struct {
	bucket providers.Bucket
	opts   providers.ListOptions

	streams guard.Group // that were started

	mu       sync.Mutex
	changed  *sync.Cond // anything below has changed
	chain    chain
	splitter splitter
	keys     keyModel
	canStart bool  // the server has shown that it can start at a key
	single   bool  // one stream lists the rest; nothing is split any more
	panicked error // the first panic of a stream
}

const (
	firstPages  = 2  // pages of the first segment that may wait for the loop
	sampleEvery = 20 // every so many keys, the key model learns from one
	earlyPages  = 64 // after so many pages it learns from a fifth as many
)

func newListing(b providers.Bucket, opts providers.ListOptions, streams int) *listing {
	l := &listing{
		bucket:   b,
		opts:     opts,
		chain:    chain{order: providers.OrderOf(b), buffer: buffer{streams: streams}},
		splitter: newSplitter(),
	}
	if both := l.chain.order & opts.Order; both != 0 {
		l.chain.order = both
	}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// start begins the parallel part, after the pages that ended with the
// given keys.
func (l *listing) start(ctx context.Context, pageEnds []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := &segment{last: pageEnds[len(pageEnds)-1], end: l.opts.Through, pageEnds: pageEnds}
	l.chain.segments = []*segment{first}
	l.split(ctx, first)
	l.launch(ctx, first)
}

func (l *listing) launch(ctx context.Context, s *segment) {
	s.waiting = true
	l.streams.Go(func() error {
		(&stream{listing: l, segment: s}).run(ctx)
		return nil
	})
}

// next waits for the next page in key order. It returns neither page
// nor error at the end.
func (l *listing) next() ([]providers.Object, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.chain.segments) > 0 && l.panicked == nil {
		s := l.chain.segments[0]
		switch {
		case len(s.pages) > 0:
			page := s.pages[0]
			s.pages[0] = nil // so that its memory can be freed
			s.pages = s.pages[1:]
			l.chain.buffer.objects -= len(page)
			l.changed.Broadcast()
			return page, nil
		case s.err != nil:
			return nil, s.err
		case s.done:
			l.chain.segments = l.chain.segments[1:]
			l.changed.Broadcast()
		default:
			l.changed.Wait()
		}
	}
	return nil, nil
}

func (l *listing) wakeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Broadcast()
}

// end stops the streams, which may all be waiting for the loop. If one
// of them has panicked, it panics too.
func (l *listing) end(cancel context.CancelFunc) {
	cancel()
	l.wakeAll()
	_ = l.streams.Wait() // run hands over its error itself
	guard.Rethrow(l.panicked)
}

// fail ends the listing with the panic of a stream.
func (l *listing) fail(p *guard.PanicError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.panicked == nil {
		l.panicked = p
	}
	l.changed.Broadcast()
}

// awaitTurn waits until a segment may request a page, and returns the
// orders that fit the keys so far. It also returns when ctx has ended:
// then the request itself fails.
func (l *listing) awaitTurn(ctx context.Context, s *segment) keyorder.Order {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.pageEnds != nil && !s.waiting {
		l.split(ctx, s)
	}
	s.waiting = true
	for ctx.Err() == nil && !l.mayRequest(s) {
		l.changed.Wait()
	}
	s.waiting = false
	l.chain.buffer.running++
	return l.chain.order
}

// mayRequest reports whether s may request a page. Segments nearer to
// the loop have priority. A segment waits while the pages that are
// expected before it would not fit into the buffer together with its
// own.
func (l *listing) mayRequest(s *segment) bool {
	free := l.chain.buffer.streams - l.chain.buffer.running
	pagesBefore := l.chain.buffer.pages()
	isFirst := true // nothing that the loop needs before it is still to come
	ahead := 0.0
	for _, other := range l.chain.segments {
		fits := l.chain.buffer.fits(pagesBefore) || l.chain.buffer.isNear(ahead)
		ahead += other.expected()
		if isFirst {
			fits = len(other.pages) < firstPages
		}
		switch {
		case free <= 0:
			return false
		case other == s:
			return fits
		case other.waiting && fits:
			free--
		}
		if !other.done {
			pagesBefore += other.pagesLeft
		}
		isFirst = isFirst && other.atEnd
	}
	return s.replaced // it only has to notice that
}

// deliver puts a page into the buffer.
func (l *listing) deliver(s *segment, page []providers.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Broadcast()
	if s.replaced || len(page) == 0 {
		return
	}
	s.pages = append(s.pages, page)
	l.chain.buffer.objects += len(page)
	l.learn(s, page)
}

func (l *listing) learn(s *segment, page []providers.Object) {
	if s.count == 0 {
		l.splitter.foundKeys(l.chain.buffer.streams)
	}
	step := sampleEvery
	if l.splitter.pages > earlyPages {
		step *= 5
	}
	for i := 0; i < len(page); i += step {
		l.keys.learn(page[i].Key)
	}
	s.count += len(page)
	l.splitter.pages++
	s.addPageEnd(s.last)
	s.pagesLeft = l.keys.pagesBetween(s.last, s.end, s.measure(&l.keys))
}

// finish takes note of how a stream ended.
func (l *listing) finish(s *segment, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.done, s.err = true, err
	if err == nil && !s.replaced {
		l.splitter.ended(s)
	}
	l.changed.Broadcast()
}

// takeOver gives all that comes after a failed segment to it, and ends
// the help of all other streams. It returns false if that has been
// tried.
func (l *listing) takeOver(s *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.replaced || s.single {
		return false
	}
	for next := l.chain.after(s); next != nil; next = l.chain.after(s) {
		l.chain.drop(next)
	}
	l.changed.Broadcast()
	s.end, s.single, s.waiting, l.single = l.opts.Through, true, true, true
	return true
}
