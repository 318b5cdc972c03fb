package fastlist

import (
	"context"
	"slices"
)

// A segment ends where the next one begins: before the first key that
// the next one has found. That is the very same key in both listings,
// so no key is lost or doubled even if the order of the bucket is not
// known, and the guess where to split lies somewhere else than thought.

// begin takes note of the first key of a segment.
func (l *listing) begin(s *segment, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.begun {
		s.first, s.begun = key, true
	}
	l.canStart = l.canStart || !s.single
	l.changed.Broadcast()
}

// reach decides about a key of a segment that may lie behind the
// segment's end. The segment either ends before the key or holds it.
// That is not known before the next segment has begun.
func (l *listing) reach(s *segment, key string) (ends, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !s.replaced {
		next := l.after(s)
		isInside := s.end == "" || key == s.end || l.order.Before(key, s.end)
		switch {
		case isInside:
			return false, true
		case next == nil: // the end is the last key that the caller wants
			return l.order.Before(s.end, key), true
		case !next.begun && !next.done:
			return false, false
		case next.begun && next.first == key, next.err != nil && !next.begun:
			return true, true
		case !l.misses(s, next, key):
			return false, true
		}
		l.absorb(s, next)
	}
	return true, true
}

// misses reports whether the next segment lacks a key that must be its
// own, or has begun with a key that this segment does not have. The
// caller has deleted or stored an object meanwhile, or the server does
// not start a listing where it should.
func (l *listing) misses(s, next *segment, key string) bool {
	if next.begun {
		return l.order.Before(next.first, key)
	}
	return l.order.Before(s.end, key)
}

// awaitNext waits until the segment after s has begun. It does so
// without a turn.
func (l *listing) awaitNext(ctx context.Context, s *segment) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.atEnd, s.pagesLeft = true, 0
	defer func() { s.atEnd = false }()
	l.changed.Broadcast()
	for ctx.Err() == nil && !s.replaced {
		next := l.after(s)
		if next == nil || next.begun || next.done {
			return nil
		}
		l.changed.Wait()
	}
	return ctx.Err()
}

// exhaust ends a segment whose listing has no further key. What later
// segments have found exists no more.
func (l *listing) exhaust(s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for next := l.after(s); !s.replaced && next != nil && next.begun; next = l.after(s) {
		l.absorb(s, next)
	}
}

// after returns the segment after s; nil if s is the last one or not a
// part of the listing any more.
func (l *listing) after(s *segment) *segment {
	at := slices.Index(l.segments, s)
	if at < 0 || at+1 == len(l.segments) {
		return nil
	}
	return l.segments[at+1]
}

// absorb lets s list the range of the next segment too.
func (l *listing) absorb(s, next *segment) {
	s.end = next.end
	l.drop(next)
	l.segments = slices.DeleteFunc(l.segments, func(other *segment) bool { return other == next })
	l.changed.Broadcast()
}

// drop ends the stream of a segment that another one replaces.
func (l *listing) drop(s *segment) {
	for _, page := range s.pages {
		l.buffer.objects -= len(page)
	}
	s.pages, s.replaced = nil, true
	if s.cancel != nil {
		s.cancel()
	}
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
	at := slices.Index(l.segments, s) + 1
	for _, other := range l.segments[at:] {
		l.drop(other)
	}
	l.segments = l.segments[:at]
	l.changed.Broadcast()
	s.end, s.single, s.waiting, l.single = l.opts.Through, true, true, true
	return true
}
