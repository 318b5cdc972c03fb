package producer

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// lookEvery is how often everybody who waits looks for himself although no
// event came, should one have been lost.
const lookEvery = 15 * time.Second

// watch reads the stream of events for all who wait on one client, and wakes
// them. One goroutine and one connection do it, and only while somebody
// waits.
type watch struct {
	lines   *lines
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool // by job
	reading bool                              // from a known position on: nothing that happens from now on is missed
	stop    context.CancelFunc                // nil when nobody waits
}

// join tells when a job should be looked at: once when nothing can be missed
// any more, then at every event of the job, every now and then without, and
// every second while the stream cannot be read.
func (w *watch) join(job string) (wake <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	mine := make(chan struct{}, 1)
	if w.waiting == nil {
		w.waiting = map[string]map[chan struct{}]bool{}
	}
	if w.waiting[job] == nil {
		w.waiting[job] = map[chan struct{}]bool{}
	}
	w.waiting[job][mine] = true
	if w.reading {
		mine <- struct{}{}
	}
	if w.stop == nil {
		var ctx context.Context
		ctx, w.stop = context.WithCancel(context.Background())
		go w.run(ctx)
	}
	return mine, func() { w.leave(job, mine) }
}

func (w *watch) leave(job string, mine chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.waiting[job], mine); len(w.waiting[job]) == 0 {
		delete(w.waiting, job)
	}
	if len(w.waiting) == 0 && w.stop != nil {
		w.stop()
		w.stop, w.reading = nil, false
	}
}

func (w *watch) run(ctx context.Context) {
	line, hangUp := w.lines.line(ctx)
	defer hangUp()
	for ctx.Err() == nil {
		at, err := newest(ctx, line)
		w.found(ctx, err == nil)
		if err == nil {
			w.follow(ctx, line, at)
			w.found(ctx, false)
		}
		pause(ctx, tryEvery)
	}
}

// found notes whether the stream can be read, and lets everybody look.
func (w *watch) found(ctx context.Context, reading bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return // a successor may be at work already
	}
	w.reading = reading
	w.wakeAll()
}

// follow wakes whom the events after a position concern, until one read
// fails.
func (w *watch) follow(ctx context.Context, line redis.UniversalClient, at string) {
	for looked := time.Now(); ; {
		events, err := read(ctx, line, at, blockFor)
		if err != nil {
			return
		}
		w.mu.Lock()
		for _, m := range events {
			at = m.ID
			e, _ := queue.DecodeEvent(m) // of what cannot be read the job is not known
			wakeUp(w.waiting[e.Job])
		}
		if time.Since(looked) > lookEvery {
			looked = time.Now()
			w.wakeAll()
		}
		w.mu.Unlock()
	}
}

func (w *watch) wakeAll() {
	for _, of := range w.waiting {
		wakeUp(of)
	}
}

func wakeUp(waiting map[chan struct{}]bool) {
	for c := range waiting {
		select {
		case c <- struct{}{}:
		default: // is awake
		}
	}
}
