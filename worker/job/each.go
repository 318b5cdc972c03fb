package job

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Each calls do for every item, at most n at once (one when n is less), and
// returns the results in the order of the items. The first error, or panic,
// ends the rest and is returned; do must then give up when its ctx ends.
func Each[T, R any](ctx context.Context, items []T, n int, do func(context.Context, T) (R, error)) ([]R, error) {
	results := make([]R, len(items))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(max(n, 1))
	for i, item := range items {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			return Guard(func() (err error) {
				results[i], err = do(inner, item)
				return err
			})
		})
	}
	err := group.Wait()
	if ended := context.Cause(ctx); ended != nil {
		return results, ended
	}
	return results, err
}

// Ordered calls do for every object, env.Parallel at once, and yields the
// results in the order of the objects, each as soon as those before it are
// there: a slow object holds up the yielding, but not the work on those after
// it.
//
// An error or a panic of do is yielded in its place, after the results before
// it, and ends the loop; when ctx has ended, the error is its cause. Leaving
// the loop early cancels what is under way and waits for it, so do must give
// up when its ctx ends. With env.Starting set there is nothing at once:
// Starting, do and the loop's body take turns, in one goroutine.
func Ordered[R any](ctx context.Context, env Env, objects []Listed, do func(context.Context, Listed) (R, error)) iter.Seq2[R, error] {
	if env.Starting != nil {
		return oneByOne(ctx, env, objects, do)
	}
	return func(yield func(R, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		a := newAhead(objects, do)
		var group sync.WaitGroup
		defer group.Wait()
		defer cancel()
		for range min(max(env.Parallel, 1), len(objects)) {
			group.Go(func() { a.work(inner) })
		}
		for _, result := range a.results {
			r := <-result
			if !yield(r.value, orCause(ctx, r.err)) || r.err != nil {
				return
			}
		}
	}
}

func oneByOne[R any](ctx context.Context, env Env, objects []Listed, do func(context.Context, Listed) (R, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for _, o := range objects {
			r := try(ctx, func() (r R, err error) {
				if err := env.Starting(ctx, o.Key); err != nil {
					return r, err
				}
				return do(ctx, o)
			})
			if !yield(r.value, orCause(ctx, r.err)) || r.err != nil {
				return
			}
		}
	}
}

// ahead is work that several goroutines take from the front, so that whatever
// is taken, all before it is taken too.
type ahead[R any] struct {
	objects []Listed
	do      func(context.Context, Listed) (R, error)
	next    atomic.Int64
	results []chan result[R] // one an object, with room for what came of it: nobody waits for the loop
}

type result[R any] struct {
	value R
	err   error
}

func newAhead[R any](objects []Listed, do func(context.Context, Listed) (R, error)) *ahead[R] {
	a := &ahead[R]{objects: objects, do: do, results: make([]chan result[R], len(objects))}
	for i := range a.results {
		a.results[i] = make(chan result[R], 1)
	}
	return a
}

// work takes one object after the other, until there is none left. After an
// error no more are taken: the loop will end at that one or before, and what
// it waits for until then is taken.
func (a *ahead[R]) work(ctx context.Context) {
	for {
		i := a.next.Add(1) - 1
		if i >= int64(len(a.objects)) {
			return
		}
		r := try(ctx, func() (R, error) { return a.do(ctx, a.objects[i]) })
		if r.err != nil {
			a.next.Store(int64(len(a.objects)))
		}
		a.results[i] <- r
	}
}

// try calls do unless ctx has ended. A panic is an error, and an error has no
// value.
func try[R any](ctx context.Context, do func() (R, error)) (r result[R]) {
	var value R
	r.err = ctx.Err()
	if r.err == nil {
		r.err = Guard(func() (err error) {
			value, err = do()
			return err
		})
	}
	if r.err == nil {
		r.value = value
	}
	return r
}

// orCause is the error, or why ctx has ended, which then is the reason for
// it.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
