package fastlist

import (
	"context"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// stream lists one segment for a listing.
type stream struct {
	listing *listing
	segment *segment

	order   keyorder.Order // as the listing's, and by the keys of this page
	page    []providers.Object
	hasTurn bool   // to request a page
	last    string // the last key that the server has listed
	any     bool   // there is such a key
	started bool   // the listing has reached the segment
}

// run lists the segment to its end. If that fails, it lists everything
// from there on alone: a fault that only parallel listing causes goes
// away with it. It gives a panic of the bucket to the caller's loop,
// which ends all streams and panics with it.
func (s *stream) run(ctx context.Context) {
	err := guard.Call(func() error {
		err := s.list(ctx)
		if err != nil && ctx.Err() == nil && s.listing.takeOver(s.segment) {
			err = s.list(ctx)
		}
		return err
	})
	var panicked *guard.PanicError
	if errors.As(err, &panicked) {
		s.listing.fail(panicked)
		return
	}
	s.listing.finish(s.segment, err)
}

// list lists the segment page by page. Before each page it waits for
// permission.
func (s *stream) list(ctx context.Context) error {
	s.any, s.started = false, false
	s.awaitTurn(ctx)
	defer s.deliver()
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	for o, err := range s.listing.bucket.List(own, s.options(cancel)) {
		ended := false
		if err == nil {
			ended, err = s.take(ctx, o)
		}
		if ended || err != nil {
			return err
		}
	}

	s.deliver()
	if err := s.awaitNext(ctx); err != nil {
		return err
	}
	s.exhaust()
	return nil
}

// take adds an object to the page, unless it comes before the segment.
// It returns true if it comes behind it.
func (s *stream) take(ctx context.Context, o providers.Object) (ended bool, err error) {
	seg := s.segment
	if err := s.follow(o.Key); err != nil {
		return false, err
	}
	if !s.started {
		if comesBefore, err := s.start(o.Key); comesBefore || err != nil {
			return false, err
		}
	}
	if seg.end != "" && !s.order.Before(o.Key, seg.end) && o.Key != seg.end {
		if ended, err := s.reach(ctx, o.Key); ended || err != nil {
			return ended, err
		}
	}
	seg.last = o.Key
	if s.page == nil {
		s.page = make([]providers.Object, 0, pageSize)
	}
	if s.page = append(s.page, o); len(s.page) == pageSize {
		s.deliver()
		s.awaitTurn(ctx)
	}
	return false, nil
}

// follow narrows the order down by the next key.
func (s *stream) follow(key string) error {
	if s.any {
		if s.order = s.order.Narrow(s.last, key); s.order == 0 {
			return providers.Unordered(s.last, key)
		}
	}
	s.last, s.any = key, true
	return nil
}

// start reports whether a key comes before the segment. The first one
// that does not begins it.
func (s *stream) start(key string) (comesBefore bool, err error) {
	seg := s.segment
	comesBefore = key == seg.last || s.order.Before(key, seg.last)
	if seg.begun && seg.count == 0 {
		comesBefore = s.order.Before(key, seg.first)
	}
	switch {
	case comesBefore && !seg.single:
		return false, fmt.Errorf("the server does not start its listing where it was asked to: %w",
			providers.Invalid)
	case !comesBefore:
		s.started = true
		s.begin(key)
	}
	return comesBefore, nil
}

// awaitTurn waits for permission to request a page.
func (s *stream) awaitTurn(ctx context.Context) {
	s.order = s.listing.awaitTurn(ctx, s.segment)
	s.hasTurn = true
}

// endTurn lets another stream request a page.
func (s *stream) endTurn() {
	l := s.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.hasTurn {
		l.chain.buffer.running--
		l.chain.order &= s.order
		l.changed.Broadcast()
	}
	s.hasTurn = false
}

// deliver ends the turn, and gives the page to the caller's loop.
func (s *stream) deliver() {
	s.listing.deliver(s.segment, s.page)
	s.endTurn()
	s.page = nil
}

// options returns what to ask the bucket for. cancel stops the request
// if another segment takes over.
func (s *stream) options(cancel context.CancelFunc) providers.ListOptions {
	l, seg := s.listing, s.segment
	l.mu.Lock()
	defer l.mu.Unlock()
	if seg.cancel = cancel; seg.replaced {
		cancel()
	}
	opts := l.opts
	opts.Order = l.chain.order
	if seg.single && !l.canStart { // perhaps the server cannot start at a key
		return opts
	}
	opts.After, opts.Direct = seg.last, !seg.single
	return opts
}
