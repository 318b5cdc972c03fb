package admission

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

const (
	// lookEvery is how often EndTurns looks.
	lookEvery = time.Second
	// leaveWithin is how long a task may need to leave after its turn is
	// over. Then the turn of another one is ended.
	leaveWithin = 5 * time.Second
)

// EndTurns ends turns until ctx ends. When the places of the pool are
// taken and an owner waits who has none of them, it ends the turn of
// one task: of the owner who has most places the one that has had its
// place for longest, but for Config.Turn at least.
func (p *Pool) EndTurns(ctx context.Context) {
	if p.config.Turn == 0 {
		return
	}
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			p.endTurn(ctx)
		}
	}
}

func (p *Pool) endTurn(ctx context.Context) {
	taken := p.places.list()
	one := p.places.longest(taken, p.config.Turn)
	if one == nil || len(taken) < p.config.Slots {
		return
	}
	denied := p.caps.reachedWithin(capMemory)
	for _, other := range taken {
		denied = append(denied, other.owner)
	}
	for _, queue := range p.config.Queues {
		if len(taken) == p.config.Slots && !isLow(queue) {
			continue // the guest place is free
		}
		r := turns.Request{Queue: queue, Denied: denied, Look: true}
		if _, state, err := p.config.Look.Take(ctx, r); err == nil && state == turns.Found {
			p.places.endTurn(one)
			return
		}
	}
}

// longest returns the place whose turn ends next, or nil.
func (p places) longest(taken []*place, turn time.Duration) (one *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := map[string]int{}
	for _, other := range taken {
		held[other.owner]++
		if !other.overSince.IsZero() && time.Since(other.overSince) < leaveWithin {
			return nil // a place will be free
		}
	}
	for _, other := range taken {
		more := one == nil || held[other.owner] > held[one.owner] ||
			held[other.owner] == held[one.owner] && other.since.Before(one.since)
		if time.Since(other.since) >= turn && other.overSince.IsZero() && more {
			one = other
		}
	}
	return one
}

func (p places) endTurn(one *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one.overSince.IsZero() {
		one.overSince = time.Now()
		close(one.over)
	}
}

// Waiting returns jobs that wait for a place: at least two, if there are
// so many. Those that a cap keeps waiting are not among them.
func (p *Pool) Waiting(ctx context.Context) (jobs []string, err error) {
	denied := p.caps.reachedWithin(capMemory)
	for _, queue := range p.config.Queues {
		for len(jobs) < 2 {
			r := turns.Request{Queue: queue, Denied: denied, Look: true}
			task, state, err := p.config.Look.Take(ctx, r)
			if err != nil {
				return jobs, err
			}
			if state != turns.Found {
				break
			}
			jobs = append(jobs, task.Job())
			denied = append(denied, turns.OfJob(task.Job()))
		}
	}
	return jobs, nil
}
