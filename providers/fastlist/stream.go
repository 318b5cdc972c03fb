package fastlist

import (
	"context"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
)

// stream lists one segment for a listing.
type stream struct {
	listing *listing
	segment *segment
}

// run lists the segment to its end. If that fails, it lists
// everything from there on alone: a fault that only parallel listing
// causes goes away with it. It gives a panic of the bucket to the
// caller's loop, which ends all streams and panics with it.
func (s stream) run(ctx context.Context) {
	err := providers.Guard(func() error {
		err := s.list(ctx)
		if err != nil && ctx.Err() == nil && s.listing.takeOver(s.segment) {
			err = s.list(ctx)
		}
		return err
	})
	var panicked *providers.PanicError
	if errors.As(err, &panicked) {
		s.listing.fail(panicked)
		return
	}
	s.listing.finish(s.segment, err)
}

// list lists the segment page by page. Before each page it waits for
// permission.
func (s stream) list(ctx context.Context) error {
	l, seg := s.listing, s.segment
	l.awaitTurn(ctx, seg)
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	page := make([]providers.Object, 0, pageSize)
	for o, err := range l.bucket.List(own, s.options(cancel)) {
		switch {
		case err != nil:
			l.deliver(seg, page)
			return err
		case o.Key <= seg.last && seg.single: // the server starts before it
			continue
		case o.Key <= seg.last:
			l.deliver(seg, page)
			return fmt.Errorf("the server does not start its listing where it was asked to: %w",
				providers.Invalid)
		case isPast(o.Key, seg.end):
			l.deliver(seg, page)
			return nil
		}
		seg.last = o.Key
		if page = append(page, o); len(page) == pageSize {
			l.deliver(seg, page)
			l.awaitTurn(ctx, seg)
			page = make([]providers.Object, 0, pageSize)
		}
	}
	l.deliver(seg, page)
	return nil
}

// options returns what to ask the bucket for. cancel stops the
// request if another segment takes over.
func (s stream) options(cancel context.CancelFunc) providers.ListOptions {
	l, seg := s.listing, s.segment
	l.mu.Lock()
	defer l.mu.Unlock()
	if seg.cancel = cancel; seg.replaced {
		cancel()
	}
	opts := l.opts
	opts.Through = seg.end
	if seg.single && !l.canStart { // perhaps the server cannot start at a key
		return opts
	}
	opts.After, opts.Direct = seg.last, !seg.single
	return opts
}
