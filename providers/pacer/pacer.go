// Package pacer limits the requests in flight to each bucket, and
// learns the limit from the cloud: it falls when the cloud throttles,
// and rises while the cloud answers.
//
// It knows providers.Bucket and its errors. It knows no cloud.
package pacer

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Pacer keeps a limit of requests in flight for each bucket of a
// process, whatever job they belong to. It learns by additive
// increase and multiplicative decrease, like TCP and Netflix's
// concurrency-limits:
//
//   - A throttled request halves the limit, at most once a second, and
//     never if it was sent before the last halving.
//   - An answered request raises the limit by one, at most once a second,
//     and only while all of the limit is used.
//
// It is safe for concurrent use, and starts no goroutines.
type Pacer struct {
	most int

	mu     sync.Mutex
	limits map[string]*limit
}

// New makes a pacer whose limits begin at most, and never exceed it.
// Less than 1 is 1.
func New(most int) *Pacer {
	return &Pacer{most: max(1, most), limits: map[string]*limit{}}
}

// Limits returns how many requests may be in flight now, for each
// name that was used in the last minutes. A limit that has fallen
// rises only as far as it is used. So a low one need not slow
// anything down.
func (p *Pacer) Limits() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removeStale()
	all := make(map[string]int, len(p.limits))
	for name, l := range p.limits {
		all[name] = l.most
	}
	return all
}

// limitOf finds or makes the limit of a name. The caller holds mu.
func (p *Pacer) limitOf(name string) *limit {
	l := p.limits[name]
	if l == nil || l.isStale() {
		p.removeStale()
		l = &limit{most: p.most}
		p.limits[name] = l
	}
	l.used = time.Now()
	return l
}

func (p *Pacer) removeStale() {
	maps.DeleteFunc(p.limits, func(_ string, l *limit) bool { return l.isStale() })
}

// turn is the right to make one request.
type turn struct {
	pacer *Pacer
	limit *limit
	sent  int // requests in flight when this one was sent, itself included
	cuts  int // limit.cuts when this one was sent
}

// enter waits for a turn. It returns an error only if the context
// ends. Without an error the caller must call leave.
func (p *Pacer) enter(ctx context.Context, name string) (turn, error) {
	if err := ctx.Err(); err != nil {
		return turn{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limitOf(name)
	if l.inFlight < l.most { // then the queue is empty: see limit.admit
		l.inFlight++
	} else if err := p.wait(ctx, l); err != nil {
		return turn{}, err
	}
	return turn{p, l, l.inFlight, l.cuts}, nil
}

// wait waits in the queue of a limit. The caller holds mu; wait
// releases it meanwhile.
func (p *Pacer) wait(ctx context.Context, l *limit) error {
	place := l.enqueue()
	p.mu.Unlock()
	select {
	case <-place:
	case <-ctx.Done():
	}
	p.mu.Lock()
	if ctx.Err() == nil {
		return nil
	}
	l.giveUp(place)
	return ctx.Err()
}

// leave ends a turn. It may be called once.
func (t turn) leave() {
	t.pacer.mu.Lock()
	defer t.pacer.mu.Unlock()
	t.limit.inFlight--
	t.limit.used = time.Now()
	t.limit.admit()
}

// learn adapts the limit to the result of the request.
func (t turn) learn(err error) {
	t.pacer.mu.Lock()
	defer t.pacer.mu.Unlock()
	switch providers.KindOf(err) {
	case providers.Throttled:
		if t.cuts == t.limit.cuts {
			t.limit.lower(t.sent)
		}
	case "", providers.NotFound, providers.Conflict: // the bucket did what it was asked to do
		if t.sent >= t.limit.most {
			t.limit.raise(t.pacer.most)
		}
	case providers.Invalid, providers.Unauthenticated, providers.Denied,
		providers.Unavailable, providers.Blocked:
		// These say nothing about the load of the bucket.
	}
}

// learnWithoutTurn adapts the limit to the failure of a request that
// had no turn.
func (p *Pacer) learnWithoutTurn(name string, err error) {
	if providers.KindOf(err) != providers.Throttled {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limitOf(name)
	l.lower(l.most) // how much of it the request used is not known
}
