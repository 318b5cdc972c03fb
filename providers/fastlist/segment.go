package fastlist

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
)

// segment is a range of keys that one stream lists. Its own stream alone
// changes it without the listing's lock, and only in last; the rest is under
// the lock.
type segment struct {
	end     string // the last key it may hold; empty for no bound
	last    string // everything up to here has been listed; at first where it starts
	pages   [][]providers.Object
	marks   []string // last keys of recent pages
	stride  stride   // how far a page reached where it was split off
	waiting bool     // for its turn to ask for a page
	rest    float64  // pages that may be still to come
	count   int      // objects that came
	alone   bool     // it took over from all others, and starts where the caller's listing does
	dropped bool     // another took over
	done    bool
	err     error
	cancel  context.CancelFunc
}

// stream lists a segment to its end. When that fails, it lists everything
// from there on alone.
func (l *listing) stream(ctx context.Context, s *segment) {
	defer l.keepPanic()
	err := l.read(ctx, s)
	if err != nil && ctx.Err() == nil && l.takeOver(s) {
		err = l.read(ctx, s)
	}
	l.finish(s, err)
}

// keepPanic must be deferred. It hands a panic of the bucket to the loop,
// which ends all streams and panics with it.
func (l *listing) keepPanic() {
	value := recover()
	if value == nil {
		return
	}
	stack := string(debug.Stack())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.panicked == nil {
		l.panicked = &providers.PanicError{Value: value, Stack: stack}
	}
	l.wake.Broadcast()
}

// takeOver gives a segment that failed all that comes after it, and lets no
// other stream help any more: a fault that the other way of listing brought
// about goes away with it. It reports whether that is worth a try.
func (l *listing) takeOver(s *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.dropped || s.alone {
		return false
	}
	at := slices.Index(l.segments, s) + 1
	for _, other := range l.segments[at:] {
		l.drop(other)
	}
	l.segments = l.segments[:at]
	l.wake.Broadcast()
	s.end, s.alone, s.waiting, l.alone = l.opts.Through, true, true, true
	return true
}

// drop forgets a segment that another one covers.
func (l *listing) drop(s *segment) {
	for _, page := range s.pages {
		l.ahead -= len(page)
	}
	s.pages, s.dropped = nil, true
	if s.cancel != nil {
		s.cancel()
	}
}

func (l *listing) finish(s *segment, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.done, s.err = true, err
	switch {
	case err != nil:
	case s.count == 0:
		l.most = max(2, l.most/2)
		fallthrough
	case s.count < pageSize:
		l.reach = min(l.reach*1.25, 2)
	case s.count > 2*pageSize:
		l.reach = max(l.reach*.9, 1)
	}
	l.wake.Broadcast()
}

// read lists a segment page by page, each when it is its turn.
func (l *listing) read(ctx context.Context, s *segment) error {
	l.turn(ctx, s)
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	page := make([]providers.Object, 0, pageSize)
	for o, err := range l.bucket.List(own, l.begin(s, cancel)) {
		switch {
		case err != nil:
			l.deliver(s, page)
			return err
		case o.Key <= s.last && s.alone:
			continue
		case o.Key <= s.last:
			l.deliver(s, page)
			return fmt.Errorf("the server does not list on from where it was asked to: %w", providers.Invalid)
		case past(o.Key, s.end):
			l.deliver(s, page)
			return nil
		}
		s.last = o.Key
		if page = append(page, o); len(page) == pageSize {
			l.deliver(s, page)
			l.turn(ctx, s)
			page = make([]providers.Object, 0, pageSize)
		}
	}
	l.deliver(s, page)
	return nil
}

// begin is what to ask for, and how to stop it.
func (l *listing) begin(s *segment, cancel context.CancelFunc) providers.ListOptions {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.cancel = cancel; s.dropped {
		cancel()
	}
	opts := l.opts
	if opts.Through = s.end; s.alone && !l.proven {
		return opts
	}
	opts.After, opts.Direct = s.last, !s.alone
	return opts
}

// measure is how far a page reaches in this segment, or did where it comes
// from.
func (s *segment) measure(a *alphabet) stride {
	if len(s.marks) < enoughMarks && s.stride.size > 0 {
		return s.stride
	}
	return a.measure(s.marks)
}
