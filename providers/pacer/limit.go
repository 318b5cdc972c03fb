package pacer

import (
	"slices"
	"time"
)

// limit is the limit of one name. The mutex of its Pacer guards it.
type limit struct {
	most     int             // requests in flight
	inFlight int             // requests that have a turn
	queue    []chan struct{} // closed when the turn is given; first come, first served
	cuts     int             // how often the limit was lowered
	lowered  time.Time
	raised   time.Time
	used     time.Time
}

const (
	minChangeInterval = time.Second      // between two changes of a limit
	maxIdle           = 10 * time.Minute // after which a limit is outdated, and forgotten
)

func (l *limit) isStale() bool {
	return l.inFlight == 0 && len(l.queue) == 0 && time.Since(l.used) > maxIdle
}

// enqueue adds a place to the queue. It is closed when the request
// may be made; then the request already counts as in flight.
func (l *limit) enqueue() chan struct{} {
	place := make(chan struct{})
	l.queue = append(l.queue, place)
	return place
}

// giveUp removes a place from the queue. If it was given a turn at
// the same moment, the next in the queue gets that.
func (l *limit) giveUp(place chan struct{}) {
	if i := slices.Index(l.queue, place); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		return
	}
	l.inFlight--
	l.admit()
}

// admit gives turns to the first in the queue, as many as the limit
// allows. It must be called after every change that allows more.
func (l *limit) admit() {
	for len(l.queue) > 0 && l.inFlight < l.most {
		close(l.queue[0])
		l.queue = l.queue[1:]
		l.inFlight++
	}
}

// lower halves the limit, or the part of it that was in use.
func (l *limit) lower(inFlight int) {
	now := time.Now()
	if now.Sub(l.lowered) < minChangeInterval {
		return
	}
	l.most = max(1, min(l.most, inFlight)/2)
	l.cuts++
	l.lowered = now
}

// raise raises the limit by one, up to most.
func (l *limit) raise(most int) {
	now := time.Now()
	if l.most >= most || now.Sub(l.lowered) < minChangeInterval ||
		now.Sub(l.raised) < minChangeInterval {
		return
	}
	l.most++
	l.raised = now
	l.admit()
}
