package fastlist

import (
	"slices"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// chain holds the segments of a listing, in the order of the bucket.
// Its methods need the lock of the listing.
//
// A segment ends where the next one begins: before the first key that
// the next one has found. That is the very same key in both listings,
// so no key is lost or doubled even if the order of the bucket is not
// known, and the guess where to split lies somewhere else than thought.
type chain struct {
	order    keyorder.Order // those that fit the keys so far
	segments []*segment     // the loop takes pages from the first
	buffer   buffer
}

// after returns the segment after s; nil if s is the last one or not a
// part of the listing any more.
func (c *chain) after(s *segment) *segment {
	at := slices.Index(c.segments, s)
	if at < 0 || at+1 == len(c.segments) {
		return nil
	}
	return c.segments[at+1]
}

// insert adds a segment after s, which ends where it starts.
func (c *chain) insert(s, piece *segment) {
	piece.end, s.end = s.end, piece.last
	c.segments = slices.Insert(c.segments, slices.Index(c.segments, s)+1, piece)
}

// holds reports whether a position lies in a segment for certain.
func (c *chain) holds(s *segment, at string) bool {
	return c.order.Before(s.last, at) && (s.end == "" || c.order.Before(at, s.end))
}

// reach decides about a key of a segment that may lie behind the
// segment's end. The segment either ends before the key or holds it.
// That is not known before the next segment has begun.
func (c *chain) reach(s *segment, key string) (ends, known bool) {
	for !s.replaced {
		next := c.after(s)
		isInside := s.end == "" || key == s.end || c.order.Before(key, s.end)
		switch {
		case isInside:
			return false, true
		case next == nil: // the end is the last key that the caller wants
			return c.order.Before(s.end, key), true
		case !next.begun && !next.done:
			return false, false
		case next.begun && next.first == key, next.err != nil && !next.begun:
			return true, true
		case !c.misses(s, next, key):
			return false, true
		}
		c.absorb(s, next)
	}
	return true, true
}

// misses reports whether the next segment lacks a key that must be its
// own, or has begun with a key that this segment does not have. Then
// somebody has stored or deleted an object meanwhile, or the server
// does not start a listing where it should.
func (c *chain) misses(s, next *segment, key string) bool {
	if next.begun {
		return c.order.Before(next.first, key)
	}
	return c.order.Before(s.end, key)
}

// exhaust ends a segment whose listing has no further key. What later
// segments have found exists no more.
func (c *chain) exhaust(s *segment) {
	for next := c.after(s); !s.replaced && next != nil && next.begun; next = c.after(s) {
		c.absorb(s, next)
	}
}

// absorb lets s list the range of the next segment too.
func (c *chain) absorb(s, next *segment) {
	s.end = next.end
	c.drop(next)
}

// drop takes a segment out, which another one replaces, and ends its
// stream.
func (c *chain) drop(s *segment) {
	for _, page := range s.pages {
		c.buffer.objects -= len(page)
	}
	s.pages, s.replaced = nil, true
	if s.cancel != nil {
		s.cancel()
	}
	c.segments = slices.DeleteFunc(c.segments, func(other *segment) bool { return other == s })
}
