// Package leftover calls the code of jobs, and does not wait long for
// code that goes on after its context has ended.
//
// Nobody can stop such code. Its attempt ends without it: the job is
// cancelled, has failed, or is handed over. Meanwhile the code is a
// leftover of the attempt. It keeps the attempt's slot, because it
// still uses the process. Leftovers are counted, and logged.
//
// The package does not know what the code does, and decides nothing
// about the job.
package leftover

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const (
	// patience is how long a Call waits after its context has ended.
	patience = 500 * time.Millisecond
	// logAfter is how long a leftover may run before it is logged. A
	// large image takes some seconds, and that is no defect.
	logAfter = 10 * time.Second
)

// Watch knows all leftovers of a process. Make it with New. It is safe
// for concurrent use.
type Watch struct {
	log *slog.Logger

	mu   sync.Mutex
	left map[*Attempt]time.Time // since when
}

// New makes a Watch.
func New(log *slog.Logger) *Watch {
	return &Watch{log: log, left: map[*Attempt]time.Time{}}
}

// Count returns how many slots of a pool leftovers keep.
func (w *Watch) Count(pool string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for a := range w.left {
		if a.Pool == pool {
			n++
		}
	}
	return n
}

// LogAll logs all leftovers. A worker that stops calls it, because its
// process may end before they do.
func (w *Watch) LogAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for a, since := range w.left {
		w.logOne(a, since)
	}
}

func (w *Watch) logOne(a *Attempt, since time.Time) {
	w.log.Warn("the code of a job still runs after the end of its attempt, and keeps its slot",
		"kind", a.Kind, "job", a.Job, "task", a.Task, "since", since.UTC().Format(time.RFC3339))
}

// Attempt calls the code of one attempt at a task. Make it with
// Watch.Attempt. It is safe for concurrent use.
type Attempt struct {
	Labels
	watch *Watch

	mu       sync.Mutex
	calls    int           // that have not returned
	returned chan struct{} // closed while no call is under way
	log      *time.Timer   // of a leftover; nil before
}

// Labels say which attempt it is, and whose slot it has.
type Labels struct{ Pool, Kind, Job, Task string }

// Attempt returns an attempt that has called nothing yet.
func (w *Watch) Attempt(l Labels) *Attempt {
	returned := make(chan struct{})
	close(returned)
	return &Attempt{Labels: l, watch: w, returned: returned}
}

// Call calls do, and returns its error, or its panic as an error. If
// ctx has ended, and do has not returned half a second later, Call
// returns the cause of ctx. do is a leftover then: nobody may use what
// it writes.
func (a *Attempt) Call(ctx context.Context, do func() error) error {
	a.begin()
	result := guard.Go(func() error {
		defer a.end()
		return do()
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-result:
		return err
	case <-timer.C:
	}
	a.leave()
	return context.Cause(ctx)
}

// Returned returns a channel that is closed when all calls so far have
// returned.
func (a *Attempt) Returned() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.returned
}

// Wait waits until all calls have returned, or until stop is closed.
func (a *Attempt) Wait(stop <-chan struct{}) {
	select {
	case <-a.Returned():
	case <-stop:
	}
}

// Release calls free when all calls have returned: at once, unless the
// attempt has a leftover.
func (a *Attempt) Release(free func()) {
	returned := a.Returned()
	select {
	case <-returned:
		free()
	default:
		guard.Go(func() error {
			<-returned
			free()
			return nil
		})
	}
}

func (a *Attempt) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls++; a.calls == 1 {
		a.returned = make(chan struct{})
	}
}

func (a *Attempt) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls--; a.calls > 0 {
		return
	}
	close(a.returned)
	if a.log != nil {
		a.log.Stop()
		a.log = nil
		a.watch.forget(a)
	}
}

// leave makes the attempt one with a leftover, unless the call has
// returned by now.
func (a *Attempt) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls == 0 || a.log != nil {
		return
	}
	since := time.Now()
	a.watch.add(a, since)
	a.log = time.AfterFunc(logAfter, func() { a.watch.logOne(a, since) })
}

func (w *Watch) add(a *Attempt, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left[a] = since
}

func (w *Watch) forget(a *Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.left, a)
}
