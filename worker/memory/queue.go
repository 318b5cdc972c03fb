package memory

import (
	"cmp"
	"slices"
)

// queue holds requests in the order in which they came.
type queue []*request

func (q *queue) remove(r *request) bool {
	i := slices.Index(*q, r)
	if i >= 0 {
		*q = slices.Delete(*q, i, i+1)
	}
	return i >= 0
}

// ask adds a request and grants it at once if that is possible.
func (b *Budget) ask(r *request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.share.held > 0 {
		b.growing = append(b.growing, r)
	} else {
		b.waiting = append(b.waiting, r)
	}
	b.serve()
}

// withdraw takes a request back. It reports false if the request was
// granted before.
func (b *Budget) withdraw(r *request) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.growing.remove(r) || b.waiting.remove(r)
	if found {
		b.serve() // it may have held back others
	}
	return found
}

// serve grants all requests that can be granted now. Shares that hold
// something come first: the sooner they end, the sooner there is room.
func (b *Budget) serve() {
	ahead := int64(0) // the largest claim of those that wait in front
	for _, q := range []*queue{&b.growing, &b.waiting} {
		*q = slices.DeleteFunc(*q, func(r *request) bool {
			if !b.mayGrant(r, ahead) {
				ahead = max(ahead, r.share.claim)
				return false
			}
			b.grant(r, ahead > 0)
			return true
		})
	}
}

// mayGrant reports whether a request can be granted while a share with
// the claim ahead waits in front of it.
//
// Shares that overtake leave as much room as the largest claim in front
// of them needs. When the older shares have gone, that claim fits.
func (b *Budget) mayGrant(r *request, ahead int64) bool {
	s := r.share
	limit := b.limit
	if s.fixed {
		limit = b.Largest()
	}
	begins := s.held == 0
	switch {
	case b.used+r.n > b.limit, begins && b.fixed+s.claim > limit:
		return false
	case begins && !s.beside && ahead > 0 && b.passed+s.claim > limit-ahead:
		return false
	}
	return b.allCanEnd(r)
}

// allCanEnd reports whether all shares can still grow to their claims,
// one after the other, once a request is granted.
//
// Some may have to wait until the fixed shares have ended. Those beside
// fixed shares must not: a fixed share may end only after them. So
// while there are fixed shares, there must be room for one more beside
// them.
func (b *Budget) allCanEnd(granted *request) bool {
	fixed := b.fixed
	var all []growth
	add := func(s *Share, n int64) {
		if s.fixed {
			fixed += n
			return
		}
		all = append(all, growth{s.need() - n, s.held + n, s.beside})
	}
	add(granted.share, granted.n)
	for _, s := range b.shares {
		if s != granted.share && !s.fixed {
			add(s, 0)
		}
	}
	slices.SortFunc(all, func(x, y growth) int { return cmp.Compare(x.need, y.need) })
	rest, free := endAll(all, b.limit-b.used-granted.n)
	if fixed > 0 && free < b.LargestBeside() ||
		slices.ContainsFunc(rest, func(one growth) bool { return one.beside }) {
		return false
	}
	rest, _ = endAll(rest, free+fixed)
	return len(rest) == 0
}

// growth is what a share may still need, and what it holds.
type growth struct {
	need, held int64
	beside     bool
}

// endAll lets shares grow to their claims and end, one after the other.
// They are sorted by what they need. It returns those for which there
// is not enough, and what is free in the end.
func endAll(all []growth, free int64) (rest []growth, left int64) {
	for len(all) > 0 && all[0].need <= free {
		free += all[0].held
		all = all[1:]
	}
	return all, free
}

func (b *Budget) grant(r *request, overtakes bool) {
	s := r.share
	if s.held == 0 {
		b.shares = append(b.shares, s)
		if s.passed = overtakes && !s.beside; s.passed {
			b.passed += s.claim
		}
	}
	s.held += r.n
	b.used += r.n
	if s.fixed {
		b.fixed += r.n
	}
	close(r.ready)
}
