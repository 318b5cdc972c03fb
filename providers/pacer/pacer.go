package pacer

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Pacer keeps a limit of requests in flight for each bucket of a process,
// whatever job they belong to, and learns it from the cloud: additive
// increase, multiplicative decrease, as in TCP and Netflix's
// concurrency-limits. A throttled request halves the limit, at most once a
// second and never for a request that was sent before the last halving; a
// request that is answered raises it by one, at most once a second and only
// while all of it is used. It is for many goroutines at once and starts none.
type Pacer struct {
	most int

	mu     sync.Mutex
	limits map[string]*limit
}

// limit is guarded by its Pacer's mutex.
type limit struct {
	most     int // requests in flight
	inFlight int
	line     []chan struct{} // who waits for a turn, first come first served; closed to give it, which counts it in flight
	cuts     int             // how often it was lowered
	lowered  time.Time
	raised   time.Time
	used     time.Time
}

const (
	atMostOnce = time.Second
	idleLimit  = 10 * time.Minute // after which what was learnt is stale, and forgotten
)

// New makes a pacer whose limits begin at most, and never exceed it.
// Less than 1 is 1.
func New(most int) *Pacer {
	return &Pacer{most: max(1, most), limits: map[string]*limit{}}
}

// Limits tell how many requests may be in flight by now, for each name that
// was asked for in the last minutes. One that was throttled rises again only
// as far as it is used: less than the most need not mean that it holds
// anything up.
func (p *Pacer) Limits() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	all := make(map[string]int, len(p.limits))
	for name, l := range p.limits {
		all[name] = l.most
	}
	return all
}

// of finds or makes the limit of a name. Making one forgets those that are
// stale, so that they do not pile up.
func (p *Pacer) of(name string) *limit {
	l := p.limits[name]
	if l == nil || l.stale() {
		p.forget()
		l = &limit{most: p.most}
		p.limits[name] = l
	}
	l.used = time.Now()
	return l
}

func (p *Pacer) forget() {
	maps.DeleteFunc(p.limits, func(_ string, l *limit) bool { return l.stale() })
}

func (l *limit) stale() bool {
	return l.inFlight == 0 && len(l.line) == 0 && time.Since(l.used) > idleLimit
}

// turn is the right to make one request.
type turn struct {
	pacer *Pacer
	limit *limit
	sent  int // requests in flight with this one when it was let in
	cuts  int
}

// enter waits for a turn. Its error is the context's; without one the turn
// must be left.
func (p *Pacer) enter(ctx context.Context, name string) (turn, error) {
	if err := ctx.Err(); err != nil {
		return turn{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.of(name)
	if l.inFlight < l.most { // then nobody is in line: see admit
		l.inFlight++
	} else if err := p.wait(ctx, l); err != nil {
		return turn{}, err
	}
	return turn{p, l, l.inFlight, l.cuts}, nil
}

// wait stands in line, without the lock.
func (p *Pacer) wait(ctx context.Context, l *limit) error {
	place := make(chan struct{})
	l.line = append(l.line, place)
	p.mu.Unlock()
	select {
	case <-place:
	case <-ctx.Done():
	}
	p.mu.Lock()
	if ctx.Err() == nil {
		return nil
	}
	if i := slices.Index(l.line, place); i >= 0 {
		l.line = slices.Delete(l.line, i, i+1)
	} else { // the turn came at the same moment, and goes to the next
		l.inFlight--
		l.admit()
	}
	return ctx.Err()
}

// admit lets in those at the head of the line for whom there is room. It is
// called wherever room comes about.
func (l *limit) admit() {
	for len(l.line) > 0 && l.inFlight < l.most {
		close(l.line[0])
		l.line = l.line[1:]
		l.inFlight++
	}
}

// leave ends a turn. It may be called once.
func (t turn) leave() {
	t.pacer.mu.Lock()
	defer t.pacer.mu.Unlock()
	t.limit.inFlight--
	t.limit.used = time.Now()
	t.limit.admit()
}

// judge learns from how a request ended.
func (t turn) judge(err error) {
	t.pacer.mu.Lock()
	defer t.pacer.mu.Unlock()
	switch providers.KindOf(err) {
	case providers.Throttled:
		if t.cuts == t.limit.cuts {
			t.limit.lower(t.sent)
		}
	case "", providers.NotFound, providers.Conflict: // the bucket has done what it was asked
		if t.sent >= t.limit.most {
			t.limit.raise(t.pacer.most)
		}
	case providers.Invalid, providers.Unauthenticated, providers.Denied, providers.Unavailable, providers.Blocked: // says nothing about its load
	}
}

// heed learns from the failure of a request that had no turn.
func (p *Pacer) heed(name string, err error) {
	if providers.KindOf(err) != providers.Throttled {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.of(name)
	l.lower(l.most) // how much of it the request took is unknown
}

// lower halves the limit, or rather what of it was in use.
func (l *limit) lower(inFlight int) {
	if now := time.Now(); now.Sub(l.lowered) >= atMostOnce {
		l.most = max(1, min(l.most, inFlight)/2)
		l.cuts++
		l.lowered = now
	}
}

func (l *limit) raise(most int) {
	if now := time.Now(); l.most < most && now.Sub(l.lowered) >= atMostOnce && now.Sub(l.raised) >= atMostOnce {
		l.most++
		l.raised = now
		l.admit()
	}
}
