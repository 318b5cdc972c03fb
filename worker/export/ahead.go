package export

import (
	"context"
	"io"
	"iter"
	"sync"

	"github.com/stevedore-jobs/stevedore/worker/job"
)

// ahead gets results for items in their order, n of them at once before they
// are asked for. After an error nothing more is yielded. Whoever loops closes
// each result; those never yielded are closed here. No goroutine outlives the
// loop.
func ahead[T any, R io.Closer](ctx context.Context, items []T, n int, get func(context.Context, T) (R, error)) iter.Seq2[R, error] {
	type answer struct {
		result R
		err    error
	}
	return func(yield func(R, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var all sync.WaitGroup
		queue := make(chan chan answer, max(1, n)-1) // besides the one that waits to be queued
		defer func() {
			cancel()
			for one := range queue {
				if a := <-one; a.err == nil {
					_ = a.result.Close()
				}
			}
			all.Wait()
		}()
		all.Go(func() {
			defer close(queue)
			for _, item := range items {
				one := make(chan answer, 1)
				all.Go(func() {
					var a answer
					a.err = job.Guard(func() (err error) {
						a.result, err = get(ctx, item)
						return err
					})
					one <- a
				})
				queue <- one // whoever reads the queue reads it to its end
				if ctx.Err() != nil {
					return
				}
			}
		})
		for one := range queue {
			a := <-one
			if !yield(a.result, a.err) || a.err != nil {
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			var none R
			yield(none, err)
		}
	}
}
