// Package memory shares the memory of a process between its jobs.
//
// Before a job holds much memory, such as the pixels of an image, it
// takes a share of the Budget and waits until there is room. The
// package counts bytes that others estimate. It allocates nothing and
// knows no job.
package memory

import (
	"context"
	"sync"
)

// Budget limits how many bytes all its shares take together. Make one
// with New, and one only for a process. It is safe for concurrent use.
//
// Shares are given out in the order in which they are asked for. One
// may overtake another only if that delays the other by nothing. So
// small shares do not starve a large one, and a large one that waits
// does not stop the small ones.
type Budget struct {
	limit int64

	mu      sync.Mutex
	shares  []*Share // those that hold something
	used    int64    // bytes, of all shares
	fixed   int64    // bytes, of the shares that Acquire gave
	passed  int64    // claims of the shares that overtook others
	growing queue    // requests of shares that hold something
	waiting queue    // requests of shares that hold nothing yet
}

// New makes a budget of limit bytes.
func New(limit int64) *Budget { return &Budget{limit: limit} }

// Limit returns the bytes of the whole budget.
func (b *Budget) Limit() int64 { return b.limit }

// Largest returns how many bytes one share may have at most: three
// quarters of the budget. The last quarter stays for others, also while
// a large share is held for long, or waits.
func (b *Budget) Largest() int64 { return b.limit - b.limit/4 }

// LargestBeside returns how many bytes a share beside another one may
// have at most: a quarter of the budget.
func (b *Budget) LargestBeside() int64 { return b.limit / 4 }

// Acquire waits until n bytes are free and takes them. The caller must
// call release afterwards; it is safe to call it twice.
//
// It is for memory that may be held for long, for example during an
// upload. All that Acquire has given takes at most Largest together. A
// job that holds such a share must not call Acquire again, which could
// wait for ever. It can call TryAcquire and ClaimBeside.
//
// If n is over Largest, Acquire fails at once with a *TooLargeError. If
// ctx ends first, it returns the cause.
func (b *Budget) Acquire(ctx context.Context, n int64) (release func(), err error) {
	s, err := b.Claim(n)
	if err != nil {
		return nil, err
	}
	s.fixed = true
	if err := s.Grow(ctx, n); err != nil {
		return nil, err
	}
	return s.Release, nil
}

// TryAcquire is Acquire if that need not wait, and reports whether it
// was possible. A job that holds a share may call it.
func (b *Budget) TryAcquire(n int64) (release func(), ok bool) {
	s := &Share{budget: b, claim: n, fixed: true}
	r := &request{share: s, n: n, ready: make(chan struct{})}
	b.ask(r)
	return s.Release, !b.withdraw(r)
}

// Claim returns a share that can grow up to n bytes and holds nothing
// yet. It never waits. If n is over Largest, it fails with a
// *TooLargeError.
//
// The claim tells the budget what the share may still need. So shares
// that grow step by step cannot block each other for ever. A share that
// has grown to its claim must be released after work that waits for no
// other share.
func (b *Budget) Claim(n int64) (*Share, error) { return b.claim(n, b.Largest()) }

// ClaimBeside is Claim for a job that may hold a share of Acquire at
// the same time, but no second one of ClaimBeside. The limit for n is
// LargestBeside. Those who wait do not hold back such a share: they may
// wait for the same job.
func (b *Budget) ClaimBeside(n int64) (*Share, error) {
	s, err := b.claim(n, b.LargestBeside())
	if err == nil {
		s.beside = true
	}
	return s, err
}

func (b *Budget) claim(n, largest int64) (*Share, error) {
	if n > largest {
		return nil, &TooLargeError{Need: n, Largest: largest, Limit: b.limit}
	}
	return &Share{budget: b, claim: n}, nil
}
