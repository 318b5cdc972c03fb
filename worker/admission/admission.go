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
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// maxUnused is how long a place is kept for a task whose handler does
// not begin. asynq gives up some tasks before that, for example when
// their time is over.
const maxUnused = time.Minute

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

// Pool is the places for the tasks of some queues. Make it with New. It
// is safe for concurrent use.
type Pool struct {
	config  Config
	process string
	freed   chan struct{}

	mu      sync.Mutex
	coming  map[string]*place   // by task; its handler has not begun
	running map[*place]struct{} // its handler has not ended
	reached map[string]reachedCap
}

// place is what a task holds.
type place struct {
	task  string
	queue string
	owner string
	caps  []caps.Cap
	since time.Time
}

// New makes a pool. It does not touch Redis.
func New(c Config) *Pool {
	return &Pool{
		config:  c,
		process: rand.Text(),
		freed:   make(chan struct{}, 1),
		coming:  map[string]*place{},
		running: map[*place]struct{}{},
		reached: map[string]reachedCap{},
	}
}

// Freed returns a channel that has an element after a place was freed.
func (p *Pool) Freed() <-chan struct{} { return p.freed }

// Busy returns how many handlers run.
func (p *Pool) Busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)
}

// Enter lets the handler of a task begin, and reports whether the pool
// has a place for it. The caller must call leave when the handler has
// ended.
func (p *Pool) Enter(taskID string) (leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.coming[taskID]
	if one == nil {
		return nil, false
	}
	delete(p.coming, taskID)
	p.running[one] = struct{}{}
	return sync.OnceFunc(func() { p.leave(one) }), true
}

func (p *Pool) leave(one *place) {
	p.release(one)
	p.mu.Lock()
	delete(p.running, one)
	p.mu.Unlock()
	p.signal()
}

func (p *Pool) signal() {
	select {
	case p.freed <- struct{}{}:
	default:
	}
}

// expect keeps a place for a task that was taken.
func (p *Pool) expect(t turns.Task, queue string, held []caps.Cap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.coming[t.ID] = &place{
		task: t.ID, queue: queue, owner: t.Owner(), caps: held, since: time.Now(),
	}
}

// request returns what a pool may take off a queue now. ok is false if
// that is nothing.
func (p *Pool) request(queue string) (r turns.Request, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r = turns.Request{Queue: queue, Elsewhere: map[string]int{}}
	places := p.places()
	switch left := p.config.Slots + asynqtask.GuestPlaces - len(places); {
	case left < 1, left == 1 && isLow(queue):
		return r, false
	case left == 1:
		for _, one := range places {
			r.Denied = append(r.Denied, one.owner)
		}
	}
	for _, one := range places {
		if one.queue != queue {
			r.Elsewhere[one.owner]++
		}
	}
	return r, true
}

// places returns all places that are taken. It gives up those that
// nobody has used.
func (p *Pool) places() (all []*place) {
	for id, one := range p.coming {
		if time.Since(one.since) > maxUnused {
			delete(p.coming, id) // its leases end by themselves
			continue
		}
		all = append(all, one)
	}
	for one := range p.running {
		all = append(all, one)
	}
	return all
}

func isLow(queue string) bool {
	return strings.HasSuffix(queue, tasks.PriorityLow.Queue(""))
}
