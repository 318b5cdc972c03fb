package pickup

import (
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

const (
	// pollWatched is how often a queue is polled while it is watched.
	// No task that the watch missed waits longer.
	pollWatched = 5 * time.Second
	// pollBlind is how often it is polled while it is not.
	pollBlind = 80 * time.Millisecond
)

// gate decides when Redis may be asked for a task, and of which queue.
type gate struct {
	freed   <-chan struct{} // has an element after a slot of the pool was freed
	changed chan struct{}   // has an element after a queue became due earlier
	stopped chan struct{}
	stopOne sync.Once

	mu     sync.Mutex
	names  []string // of the queues, in a fixed order
	queues map[string]*queueState
}

// queueState is what a gate knows of one queue.
type queueState struct {
	weight  int           // how often it is asked, compared with others that are due
	credit  int           // grows by the weight until the queue is asked
	due     time.Time     // when Redis may be asked
	watched bool          // so a task makes the queue due at once
	found   bool          // a task was found since the last wake-up
	held    bool          // tasks wait until a slot is free
	empty   chan struct{} // has an element after an answer without a task
}

// newGate returns a gate at which all queues are due.
func newGate(queues map[string]int, freed <-chan struct{}) *gate {
	g := &gate{
		freed:   freed,
		changed: make(chan struct{}, 1),
		stopped: make(chan struct{}),
		queues:  map[string]*queueState{},
		names:   sortedNames(queues),
	}
	for name, weight := range queues {
		g.queues[name] = &queueState{weight: weight, empty: make(chan struct{}, 1)}
	}
	return g
}

// await waits until a queue is due, and returns it. The caller must ask
// Redis and then call answered. await returns false at the given time,
// and at once after stop.
func (g *gate) await(until time.Time) (name string, ok bool) {
	for {
		select {
		case <-g.stopped:
			return "", false
		case <-g.freed:
			g.wakeHeld()
		default:
		}
		name, next := g.begin()
		if name != "" {
			return name, true
		}
		if next.After(until) {
			next = until
		}
		wait := time.Until(next)
		if wait <= 0 && next.Equal(until) {
			return "", false
		}
		timer := time.NewTimer(wait)
		select {
		case <-g.stopped:
		case <-g.changed:
		case <-g.freed:
			g.wakeHeld()
		case <-timer.C:
		}
		timer.Stop()
	}
}

// begin returns a queue that is due, or "" and when the first one will
// be. Of several queues it returns each as often as its weight says. The
// next poll is set before Redis is asked, so that a wake-up that comes
// meanwhile is not lost.
func (g *gate) begin() (name string, next time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	next = now.Add(pollWatched)
	total := 0
	for _, n := range g.names {
		q := g.queues[n]
		if q.due.After(now) {
			if q.due.Before(next) {
				next = q.due
			}
			continue
		}
		total += q.weight
		q.credit += q.weight
		if name == "" || q.credit > g.queues[name].credit {
			name = n
		}
	}
	if name != "" {
		q := g.queues[name]
		q.credit -= total
		q.due = now.Add(q.poll())
	}
	return name, next
}

func (q *queueState) poll() time.Duration {
	if q.watched {
		return pollWatched
	}
	return pollBlind
}

// answered notes what Redis answered about a queue.
func (g *gate) answered(name string, s turns.State, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[name]
	switch {
	case err != nil:
		q.due = time.Now().Add(pollBlind)
		return
	case s == turns.Found:
		q.found, q.due = true, time.Time{}
		return
	}
	q.credit = 0 // a queue without tasks saves nothing up
	q.held = s == turns.Held
	signal(q.empty)
}

// wake makes a queue due.
func (g *gate) wake(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[name]
	select { // an answer from before
	case <-q.empty:
	default:
	}
	q.found, q.due = false, time.Time{}
	signal(g.changed)
}

// wakeHeld makes the queues due whose tasks wait for a slot.
func (g *gate) wakeHeld() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, q := range g.queues {
		if q.held {
			q.held, q.due = false, time.Time{}
		}
	}
}

// setWatched says whether a task that arrives wakes a queue.
func (g *gate) setWatched(name string, watched bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[name]
	now := time.Now()
	if q.watched != watched && q.due.After(now) {
		q.watched = watched
		q.due = now.Add(q.poll())
		signal(g.changed)
	}
	q.watched = watched
}

// isEmpty returns a channel that has an element after Redis gave no
// task of a queue.
func (g *gate) isEmpty(name string) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queues[name].empty
}

// foundTask reports whether a task was found since the last wake-up.
func (g *gate) foundTask(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queues[name].found
}

func (g *gate) stop() { g.stopOne.Do(func() { close(g.stopped) }) }

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
