package admission

import (
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

// maxUnused is how long a place is kept for a task whose handler does
// not begin. asynq gives up some tasks before that, for example when
// their time is over.
const maxUnused = time.Minute

// places are the places of a pool that are taken. It is safe for
// concurrent use.
type places struct {
	mu      *sync.Mutex
	coming  map[string]*place   // by task; its handler has not begun
	running map[*place]struct{} // its handler has not ended
}

// place is what a task holds.
type place struct {
	task  string
	queue string
	owner string
	caps  []caps.Cap
	since time.Time
}

func newPlaces() places {
	return places{new(sync.Mutex), map[string]*place{}, map[*place]struct{}{}}
}

// expect keeps a place for a task that was taken.
func (p places) expect(t turns.Task, queue string, held []caps.Cap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.coming[t.ID] = &place{
		task: t.ID, queue: queue, owner: t.Owner(), caps: held, since: time.Now(),
	}
}

// enter returns the place that was kept for a task, or nil.
func (p places) enter(taskID string) *place {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.coming[taskID]
	if one != nil {
		delete(p.coming, taskID)
		p.running[one] = struct{}{}
	}
	return one
}

func (p places) leave(one *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, one)
}

// list returns all places that are taken. It gives up those that nobody
// has used.
func (p places) list() (all []*place) {
	p.mu.Lock()
	defer p.mu.Unlock()
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

func (p places) busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)
}
