package job

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// Prefetch works on several items at once and yields the results in the
// order of the items.
type Prefetch[T, R any] struct {
	// Do works on one item. It must return soon after its ctx ends.
	Do func(context.Context, T) (R, error)
	// Before, if set, is asked before each call of Do, in the order of
	// the items. Its error is yielded in the place of the item, and ends
	// the loop.
	Before func() error
	// Parallel is how many calls of Do may run at once; at least 1.
	Parallel int
	// Ahead is how many results may be in progress or ready while the
	// loop's body runs; 0 means no limit. A small limit bounds memory.
	// Without one, a slow item delays no work on later items.
	Ahead int
	// Discard, if set, is called for each result that was not yielded
	// because the loop ended early.
	Discard func(R)
}

// Range yields one result for each item, as soon as all earlier results
// are yielded.
//
// An error or a panic of Do is yielded in its place, after the results
// before it, and ends the loop. If ctx has ended, the error yielded is
// its cause. Leaving the loop cancels the calls in progress and waits
// for them: no goroutine outlives the loop.
func (p Prefetch[T, R]) Range(ctx context.Context, items []T) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		run := p.start(inner, items)
		defer run.stop(cancel, p.Discard)

		yielded := 0
		for one := range run.queue {
			r := <-one
			if !yield(r.value, orCause(ctx, r.err)) || r.err != nil {
				return
			}
			yielded++
		}
		if cause := context.Cause(ctx); cause != nil && yielded < len(items) {
			var zero R
			yield(zero, cause)
		}
	}
}

// result is what one call of Do returned.
type result[R any] struct {
	value R
	err   error
}

// prefetchRun is one loop over a Prefetch.
type prefetchRun[R any] struct {
	queue  chan chan result[R] // one channel an item, in order, each with room for its result
	failed atomic.Bool         // a call of Do has failed: no more are started
	calls  guard.Group
}

// start begins to work on the items in another goroutine, which closes
// the queue when it starts no more calls.
func (p Prefetch[T, R]) start(ctx context.Context, items []T) *prefetchRun[R] {
	ahead := p.Ahead
	if ahead < 1 {
		ahead = len(items)
	}
	run := &prefetchRun[R]{queue: make(chan chan result[R], ahead)}
	run.calls.SetLimit(max(p.Parallel, 1))

	guard.Go(func() error {
		defer close(run.queue)
		for _, item := range items {
			one := make(chan result[R], 1)
			if run.failed.Load() || !run.enqueue(ctx, one) {
				return nil
			}
			if err := p.before(); err != nil {
				one <- result[R]{err: err}
				return nil
			}
			run.calls.Go(func() error {
				r := try(ctx, func() (R, error) { return p.Do(ctx, item) })
				if r.err != nil {
					run.failed.Store(true)
				}
				one <- r
				return nil
			})
		}
		return nil
	})
	return run
}

func (p Prefetch[T, R]) before() error {
	if p.Before == nil {
		return nil
	}
	return guard.Call(p.Before)
}

// enqueue waits for room in the queue. It returns false if ctx ends
// first.
func (run *prefetchRun[R]) enqueue(ctx context.Context, one chan result[R]) bool {
	select {
	case run.queue <- one:
		return true
	case <-ctx.Done():
		return false
	}
}

// stop cancels the calls in progress, waits for them, and discards the
// results that the loop did not take.
func (run *prefetchRun[R]) stop(cancel context.CancelFunc, discard func(R)) {
	cancel()
	for one := range run.queue {
		if r := <-one; r.err == nil && discard != nil {
			discard(r.value)
		}
	}
	_ = run.calls.Wait() // the calls return no errors
}

// try calls do unless ctx has ended. It turns a panic into an error,
// and drops the value that comes with an error.
func try[R any](ctx context.Context, do func() (R, error)) (r result[R]) {
	if err := ctx.Err(); err != nil {
		return result[R]{err: err}
	}
	r.err = guard.Call(func() (err error) {
		r.value, err = do()
		return err
	})
	if r.err != nil {
		return result[R]{err: r.err}
	}
	return r
}

// orCause returns the cause of ctx's end instead of err, which that end
// has probably provoked. It returns err if ctx has not ended.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
