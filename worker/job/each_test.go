package job_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/job"
)

func TestEach_KeepsTheOrder(t *testing.T) {
	t.Parallel()
	items := make([]int, 100)
	for i := range items {
		items[i] = i
	}
	var now, most atomic.Int64
	for _, n := range []int{-1, 0, 1, 3, 1000} {
		most.Store(0)
		got, err := job.Each(t.Context(), items, n, func(_ context.Context, i int) (int, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			return i * i, nil
		})
		if err != nil || len(got) != 100 || got[7] != 49 || got[99] != 9801 || most.Load() > int64(max(n, 1)) {
			t.Errorf("n %d: %v, %v, %d at once", n, got, err, most.Load())
		}
	}
	if got, err := job.Each(t.Context(), []int(nil), 3, func(context.Context, int) (int, error) { return 0, nil }); err != nil || len(got) != 0 {
		t.Errorf("nothing: %v, %v", got, err)
	}
}

func TestEach_FirstErrorCancelsTheRest(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := job.Each(t.Context(), make([]int, 1000), 4, func(context.Context, int) (int, error) {
		return 0, broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	started := make(chan struct{}, 3)
	_, err = job.Each(t.Context(), []int{0, 1, 2, 3}, 4, func(ctx context.Context, i int) (int, error) {
		if i == 0 {
			for range 3 {
				<-started
			}
			return 0, broken
		}
		started <- struct{}{}
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestEach_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	drain := errors.New("drain")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := job.Each(ctx, make([]int, 1000), 2, func(ctx context.Context, _ int) (int, error) {
		cancel(drain)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if !errors.Is(err, drain) {
		t.Errorf("got %v, want the cause", err)
	}
}
