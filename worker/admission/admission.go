// Package admission decides which tasks may run in this process.
//
// A pool has a number of slots, and one guest place. The guest place is
// for an owner who has none of the pool's slots, and never for a task of
// low priority. An owner is a tenant, or a job without a tenant. So
// neither one owner nor low priority can ever hold every place, and an
// owner who is alone can use every slot.
//
// A pool takes a task off its queue only when the task may run at once.
// What may not run stays on the queue, where any other worker can take
// it. It uses up no attempt.
//
// Caps limit how many tasks of a tenant, or on a bucket, run at once on
// all workers. Every task that a pool runs counts, until its handler
// really ends.
package admission

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Config is what a Pool uses. All fields must be set, but the caps.
type Config struct {
	Name  string
	Slots int
	Caps  caps.Caps
	Kinds map[string]job.Kind // by name

	// PerTenant is how many tasks of one tenant the pools of this name
	// run at once, on all workers. PerBucket is the same for a bucket.
	// 0 means any number.
	PerTenant, PerBucket int
}

// Pool has the places for the tasks of some queues. Make it with New.
// It is safe for concurrent use.
type Pool struct {
	config Config
	places places
	caps   tenantCaps
	freed  chan struct{}
}

// New makes a pool. It does not touch Redis.
func New(c Config) *Pool {
	return &Pool{
		config: c,
		places: newPlaces(),
		caps:   newTenantCaps(c),
		freed:  make(chan struct{}, 1),
	}
}

// Freed returns a channel that has an element after a place was freed.
func (p *Pool) Freed() <-chan struct{} { return p.freed }

// Busy returns how many handlers run.
func (p *Pool) Busy() int { return p.places.busy() }

// Enter lets the handler of a task begin, and reports whether the pool
// has a place for it. The caller must call leave when the handler has
// ended.
func (p *Pool) Enter(taskID string) (leave func(), ok bool) {
	one := p.places.enter(taskID)
	if one == nil {
		return nil, false
	}
	return sync.OnceFunc(func() {
		p.caps.release(one)
		p.places.leave(one)
		select {
		case p.freed <- struct{}{}:
		default:
		}
	}), true
}

// request returns what a pool may take off a queue now. ok is false if
// that is nothing.
func (p *Pool) request(queue string) (r turns.Request, ok bool) {
	r = turns.Request{Queue: queue, Elsewhere: map[string]int{}}
	taken := p.places.list()
	left := p.config.Slots + asynqtask.GuestPlaces - len(taken)
	if left < 1 || left == 1 && isLow(queue) {
		return r, false
	}
	for _, one := range taken {
		if left == 1 {
			r.Denied = append(r.Denied, one.owner)
		}
		if one.queue != queue {
			r.Elsewhere[one.owner]++
		}
	}
	return r, true
}

func isLow(queue string) bool {
	return strings.HasSuffix(queue, tasks.PriorityLow.Queue(""))
}

// HoldPlaces renews the places in caps of all tasks until ctx ends.
func (p *Pool) HoldPlaces(ctx context.Context) {
	ticks := time.NewTicker(caps.RenewEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			p.renew(ctx)
		}
	}
}

// renew also gives back what it renewed for a task that has left
// meanwhile.
func (p *Pool) renew(ctx context.Context) {
	before := p.places.list()
	p.caps.renew(ctx, before)
	now := p.places.list()
	for _, one := range before {
		if !slices.Contains(now, one) {
			p.caps.release(one)
		}
	}
}
