package events

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// wakeAllEvery is how often everybody is woken without an event, in
// case one was lost.
const wakeAllEvery = 15 * time.Second

// Wakeups wakes callers when something has happened to their jobs.
// One goroutine and one connection serve all of them, and only while
// somebody waits. It is safe for concurrent use.
type Wakeups struct {
	conns *streamConns

	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool // by job
	// reading means that the stream is read from a known position on:
	// from now on no event is missed.
	reading bool
	stop    context.CancelFunc // nil if nobody waits
}

// Wakeups returns a Wakeups of the same Redis. Closing the Reader
// ends its wakeups by events.
func (r *Reader) Wakeups() *Wakeups { return &Wakeups{conns: r.conns} }

// Join wakes the caller when it should look at a job: as soon as no
// event can be missed any more, at every event of the job, and every
// 15 seconds. While the stream cannot be read, it wakes the caller
// every second. The caller must call leave.
func (w *Wakeups) Join(job string) (wake <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{}, 1)
	if w.waiting == nil {
		w.waiting = map[string]map[chan struct{}]bool{}
	}
	if w.waiting[job] == nil {
		w.waiting[job] = map[chan struct{}]bool{}
	}
	w.waiting[job][c] = true
	if w.reading {
		c <- struct{}{}
	}

	if w.stop == nil {
		var ctx context.Context
		ctx, w.stop = context.WithCancel(context.Background())
		guard.Go(func() error { w.run(ctx); return nil })
	}
	return c, func() { w.leave(job, c) }
}

func (w *Wakeups) leave(job string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.waiting[job], c); len(w.waiting[job]) == 0 {
		delete(w.waiting, job)
	}
	if len(w.waiting) == 0 && w.stop != nil {
		w.stop()
		w.stop, w.reading = nil, false
	}
}

// run reads the stream until ctx ends.
func (w *Wakeups) run(ctx context.Context) {
	c, release := w.conns.connect(ctx)
	defer release()
	for ctx.Err() == nil {
		_ = guard.Call(func() error { // what waits must be woken in any case
			position, err := lastPosition(ctx, c)
			w.setReading(ctx, err == nil)
			if err == nil {
				w.follow(ctx, c, position)
			}
			return err
		})
		w.setReading(ctx, false)
		pause(ctx, retryPause)
	}
}

// setReading notes whether the stream can be read, and wakes
// everybody.
func (w *Wakeups) setReading(ctx context.Context, reading bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return // the next run may have begun
	}
	w.reading = reading
	w.wakeAll()
}

// follow wakes the callers whose jobs have events after a position,
// until a read fails.
func (w *Wakeups) follow(ctx context.Context, c redis.UniversalClient, position string) {
	for wokeAll := time.Now(); ; {
		found, err := readAfter(ctx, c, position, maxBlock)
		if err != nil {
			return
		}
		for _, m := range found {
			position = m.ID
			e, _ := queue.DecodeEvent(m) // without a job, if it cannot be read
			w.wake(e.Job)
		}
		if time.Since(wokeAll) > wakeAllEvery {
			wokeAll = time.Now()
			w.setReading(ctx, true)
		}
	}
}

func (w *Wakeups) wake(job string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wakeUp(w.waiting[job])
}

func (w *Wakeups) wakeAll() {
	for _, callers := range w.waiting {
		wakeUp(callers)
	}
}

func wakeUp(callers map[chan struct{}]bool) {
	for c := range callers {
		select {
		case c <- struct{}{}:
		default: // it is awake
		}
	}
}
