package fastlist

import "context"

// begin takes note of the first key of the segment.
func (s *stream) begin(key string) {
	l, seg := s.listing, s.segment
	l.mu.Lock()
	defer l.mu.Unlock()
	if !seg.begun {
		seg.first, seg.begun = key, true
	}
	l.canStart = l.canStart || !seg.single
	l.changed.Broadcast()
}

// reach reports whether the segment ends before a key.
func (s *stream) reach(ctx context.Context, key string) (ends bool, err error) {
	for {
		ends, known := s.reachNow(key)
		switch {
		case !known:
			s.endTurn() // another stream may need it to begin
			if err := s.awaitNext(ctx); err != nil {
				return false, err
			}
		case !ends && !s.hasTurn:
			s.awaitTurn(ctx)
			return false, nil
		default:
			return ends, nil
		}
	}
}

func (s *stream) reachNow(key string) (ends, known bool) {
	l := s.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.changed.Broadcast()
	return l.chain.reach(s.segment, key)
}

// awaitNext waits until the next segment has begun. It does so without
// a turn.
func (s *stream) awaitNext(ctx context.Context) error {
	l, seg := s.listing, s.segment
	l.mu.Lock()
	defer l.mu.Unlock()
	seg.atEnd, seg.pagesLeft = true, 0
	defer func() { seg.atEnd = false }()
	l.changed.Broadcast()
	for ctx.Err() == nil && !seg.replaced {
		next := l.chain.after(seg)
		if next == nil || next.begun || next.done {
			return nil
		}
		l.changed.Wait()
	}
	return ctx.Err()
}

// exhaust ends a segment whose listing has no further key.
func (s *stream) exhaust() {
	l := s.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chain.exhaust(s.segment)
	l.changed.Broadcast()
}
