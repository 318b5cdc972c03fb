package pickup

import (
	"sync"
	"time"
)

const (
	// pollWatched is how often a queue is polled while it is watched.
	// No task that the watch missed waits longer.
	pollWatched = 5 * time.Second
	// pollBlind is how often it is polled while it is not.
	pollBlind = 80 * time.Millisecond
)

// gate decides when the server of a pool may ask Redis for a task.
type gate struct {
	changed chan struct{} // has an element after a queue became due earlier
	stopped chan struct{}
	stopOne sync.Once

	mu     sync.Mutex
	queues map[string]*queueState
}

// queueState is what a gate knows of one queue.
type queueState struct {
	due     time.Time     // when Redis may be asked
	watched bool          // so a task makes the queue due at once
	found   bool          // a task was found since the last wake-up
	empty   chan struct{} // has an element after an answer of "none"
}

// newGate returns a gate at which all queues are due.
func newGate(queues []string) *gate {
	g := &gate{
		changed: make(chan struct{}, 1),
		stopped: make(chan struct{}),
		queues:  map[string]*queueState{},
	}
	for _, name := range queues {
		g.queues[name] = &queueState{empty: make(chan struct{}, 1)}
	}
	return g
}

// await waits until any queue is due, and reports whether it is this
// one. If it is, the caller must ask Redis and then call answered.
// After stop, await returns false at once.
func (g *gate) await(name string) bool {
	for {
		mine, next := g.begin(name)
		wait := time.Until(next)
		if mine || wait <= 0 {
			return mine
		}
		timer := time.NewTimer(wait)
		select {
		case <-g.stopped:
		case <-g.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// begin reports whether a queue is due, and when the first of all
// queues is. The next poll is set before Redis is asked, so that a
// wake-up that comes meanwhile is not lost.
func (g *gate) begin(name string) (mine bool, next time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	select {
	case <-g.stopped:
		return false, now
	default:
	}
	if q := g.queues[name]; !q.due.After(now) {
		q.due = now.Add(q.poll())
		return true, now
	}
	next = now.Add(pollWatched)
	for _, q := range g.queues {
		if q.due.Before(next) {
			next = q.due
		}
	}
	return false, next
}

func (q *queueState) poll() time.Duration {
	if q.watched {
		return pollWatched
	}
	return pollBlind
}

// answer is what Redis answered to a question for a task.
type answer int

const (
	task   answer = iota // there may be more
	none                 // the queue is empty, or paused
	repeat               // the question is asked again at once
	failed
)

// answered notes what Redis answered about a queue.
func (g *gate) answered(name string, a answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[name]
	switch a {
	case task:
		q.found, q.due = true, time.Time{}
	case repeat:
		q.due = time.Time{}
	case failed:
		q.due = time.Now().Add(pollBlind)
	case none:
		signal(q.empty)
	}
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

// isEmpty returns a channel that has an element after Redis answered
// that a queue has no task.
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
