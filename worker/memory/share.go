package memory

import (
	"context"
	"slices"
)

// Share is a part of a Budget. It is for one goroutine at a time.
type Share struct {
	budget *Budget
	claim  int64 // bytes that it may hold at most
	held   int64 // bytes
	fixed  bool  // it may be held for long
	beside bool  // its job may hold a fixed share
	passed bool  // it overtook others when it got its first bytes
}

// need returns how many bytes the share may still ask for.
func (s *Share) need() int64 { return s.claim - s.held }

// request is a share that waits for bytes.
type request struct {
	share *Share
	n     int64
	ready chan struct{} // closed when the share has the bytes
}

// Grow waits until n more bytes are free and adds them to the share,
// but no more than are left of its claim. If ctx ends first, it returns
// the cause, and the share stays as it is.
func (s *Share) Grow(ctx context.Context, n int64) error {
	r := &request{share: s, n: min(n, s.need()), ready: make(chan struct{})}
	if r.n <= 0 {
		return nil
	}
	s.budget.ask(r)
	select {
	case <-r.ready:
		return nil
	case <-ctx.Done():
	}
	if s.budget.withdraw(r) {
		return context.Cause(ctx)
	}
	return nil
}

// Shrink gives back all but n bytes. The share cannot grow afterwards.
func (s *Share) Shrink(n int64) {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	surplus := s.held - n
	if surplus <= 0 {
		return
	}
	s.held -= surplus
	b.used -= surplus
	if s.fixed {
		b.fixed -= surplus
	}
	if s.passed {
		b.passed -= s.claim - s.held
	}
	s.claim = s.held
	b.serve()
}

// Release gives back all that the share holds. A second call does
// nothing.
func (s *Share) Release() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.shares, s)
	if i < 0 {
		return
	}
	b.shares = slices.Delete(b.shares, i, i+1)
	b.used -= s.held
	if s.fixed {
		b.fixed -= s.held
	}
	if s.passed {
		b.passed -= s.claim
	}
	s.held, s.passed = 0, false
	b.serve()
}
