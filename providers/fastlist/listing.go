package fastlist

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
)

// listing is a range of keys in segments, which streams list while a loop
// takes their pages in order.
type listing struct {
	bucket  providers.Bucket
	opts    providers.ListOptions
	streams int

	streaming sync.WaitGroup

	mu       sync.Mutex
	wake     *sync.Cond // anything changed
	segments []*segment // in key order; the loop takes from the first
	running  int        // streams that ask for a page now
	ahead    int        // objects that are kept
	pages    int        // that came
	pieces   int        // that were split off
	most     int        // pieces to split off at a time: fewer after they turned out empty
	reach    float64    // how much further than measured they shall go: more after they turned out small
	proven   bool       // the server can start at a key
	alone    bool       // one stream goes on; nothing is split any more
	alphabet alphabet
	panicked *providers.PanicError // of the stream that was the first to
}

const (
	aheadPages  = 8 // pages that are kept for each stream, on the average
	firstPages  = 2 // pages of the first segment that are kept for the loop
	pieceSize   = 4 // pages that a piece shall have
	marksKept   = 5
	enoughMarks = 4
	maxExtra    = 40  // percent of requests beyond those that one stream makes
	sampling    = 100 // the distance of keys that the alphabet is learned from
)

func newListing(p parallel, opts providers.ListOptions) *listing {
	l := &listing{bucket: p.Bucket, opts: opts, streams: p.streams, most: 2, reach: 1}
	l.wake = sync.NewCond(&l.mu)
	return l
}

// start goes on after the last of some keys.
func (l *listing) start(ctx context.Context, marks []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := &segment{last: marks[len(marks)-1], end: l.opts.Through, marks: marks}
	l.segments = []*segment{first}
	l.split(ctx, first)
	l.launch(ctx, first)
}

func (l *listing) launch(ctx context.Context, s *segment) {
	s.waiting = true
	l.streaming.Go(func() { l.stream(ctx, s) })
}

func (l *listing) wakeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake.Broadcast()
}

// end stops the streams, which may all be waiting for the loop, and panics if
// one of them has.
func (l *listing) end(cancel context.CancelFunc) {
	cancel()
	l.wakeAll()
	l.streaming.Wait()
	if l.panicked != nil {
		panic(l.panicked) //nolint:forbidigo // the bucket's own panic, in the goroutine of its caller
	}
}

// next waits for the next page in key order. Neither page nor error is the
// end.
func (l *listing) next() ([]providers.Object, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.segments) > 0 && l.panicked == nil {
		s := l.segments[0]
		switch {
		case len(s.pages) > 0:
			page := s.pages[0]
			s.pages[0] = nil // the array lives on
			s.pages = s.pages[1:]
			l.ahead -= len(page)
			l.wake.Broadcast()
			return page, nil
		case s.err != nil:
			return nil, s.err
		case s.done:
			l.segments = l.segments[1:]
			l.wake.Broadcast()
		default:
			l.wake.Wait()
		}
	}
	return nil, nil
}

// turn waits until a segment may ask for a page, or ctx ends: then the
// request itself says so.
func (l *listing) turn(ctx context.Context, s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.marks != nil && !s.waiting {
		l.split(ctx, s)
	}
	s.waiting = true
	for ctx.Err() == nil && !l.may(s) {
		l.wake.Wait()
	}
	s.waiting = false
	l.running++
}

// may reports whether it is a segment's turn. Those nearest to the loop come
// first, and none lists what could not be kept together with all that is
// still to come before it.
func (l *listing) may(s *segment) bool {
	free, before := l.streams-l.running, float64(l.running)+float64(l.ahead)/pageSize
	for i, other := range l.segments {
		fits := l.ahead+l.running*pageSize < l.room()/2 || before < float64(l.room()/pageSize)
		if i == 0 {
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
			before += other.rest
		}
	}
	return s.dropped
}

// room is how many objects may be kept.
func (l *listing) room() int { return aheadPages * l.streams * pageSize }

// deliver keeps a page for the loop and ends the turn.
func (l *listing) deliver(s *segment, page []providers.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.wake.Broadcast()
	if s.dropped || len(page) == 0 {
		return
	}
	s.pages = append(s.pages, page)
	l.ahead += len(page)
	l.learn(s, page)
}

func (l *listing) learn(s *segment, page []providers.Object) {
	if s.count == 0 {
		l.proven = l.proven || !s.alone
		l.most = min(l.most+2, l.streams)
	}
	for i := 0; i < len(page); i += sampling {
		l.alphabet.learn(page[i].Key)
	}
	s.count += len(page)
	l.pages++
	if s.marks = append(s.marks, s.last); len(s.marks) > marksKept {
		s.marks = s.marks[1:]
	}
	s.rest = l.alphabet.distance(s.last, s.end, s.measure(&l.alphabet))
}

// worth is how many pieces may be split off: each costs up to one request
// more than one stream would make.
func (l *listing) worth() int { return l.streams + l.pages*maxExtra/100 - l.pieces }

// split gives the rest of a segment to streams that have nothing to do.
func (l *listing) split(ctx context.Context, s *segment) {
	idle := l.streams - l.running - 1
	for _, other := range l.segments {
		if other.waiting && other != s {
			idle--
		}
	}
	if l.alone || idle < 1 || l.worth() < 1 || l.ahead+l.running*pageSize > l.room()/4*3 {
		return
	}
	stride := s.measure(&l.alphabet)
	points := l.alphabet.points(s.last, s.end, stride.times(pieceSize*l.reach), min(idle, l.most, l.worth()))
	l.pieces += len(points)
	at := slices.Index(l.segments, s) + 1
	for i, point := range points {
		if !strings.HasPrefix(point, l.opts.Prefix) {
			break
		}
		parent := l.segments[at+i-1]
		piece := &segment{last: point, end: parent.end, stride: stride}
		parent.end = point
		parent.rest = l.alphabet.distance(parent.last, point, stride)
		piece.rest = l.alphabet.distance(point, piece.end, stride)
		l.segments = slices.Insert(l.segments, at+i, piece)
		l.launch(ctx, piece)
	}
}
