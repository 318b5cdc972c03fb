package job_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
)

func filled(t *testing.T, n int) (*jobtest.World, providers.Bucket) {
	t.Helper()
	w := jobtest.New()
	for i := range n {
		w.Put(t, fmt.Sprintf("%03d", i), "x")
	}
	return w, open(t, w)
}

func open(t *testing.T, w *jobtest.World) providers.Bucket {
	t.Helper()
	b, err := w.Open(t.Context(), jobtest.Source(""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func cut(t *testing.T, b providers.Bucket, after string, size int64) (shards []job.Shard) {
	t.Helper()
	if err := job.Cut(t.Context(), b, after, size, func(s job.Shard) error {
		shards = append(shards, s)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return shards
}

func TestCut_CoversEverythingOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 9, 10, 11, 30} {
		_, b := filled(t, n)
		shards := cut(t, b, "", 10)
		var keys []string
		for i, s := range shards {
			before := len(keys)
			for o, err := range s.List(t.Context(), b) {
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, o.Key)
			}
			if got := int64(len(keys) - before); got != s.Objects || got > 10 || got == 0 {
				t.Errorf("%d objects: shard %d has %d, and says %d", n, i, got, s.Objects)
			}
			if rest := cut(t, b, s.Through, 10); !slices.Equal(rest, shards[i+1:]) {
				t.Errorf("%d objects: after shard %d come %v", n, i, rest)
			}
		}
		if len(keys) != n || !slices.IsSorted(keys) || len(slices.Compact(keys)) != n {
			t.Errorf("%d objects: the shards have %d", n, len(keys))
		}
	}
}

func TestCut_StopsWithAnError(t *testing.T) {
	t.Parallel()
	w, b := filled(t, 30)
	full := errors.New("no more")
	calls := 0
	err := job.Cut(t.Context(), b, "", 10, func(job.Shard) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	w.Fail = func(string, string) error { return &providers.Error{Kind: providers.Denied} }
	if err := job.Cut(t.Context(), b, "", 10, func(job.Shard) error { return nil }); !errors.Is(err, providers.Denied) {
		t.Errorf("got %v", err)
	}
	for _, err := range (job.Shard{Through: "9"}).List(t.Context(), b) {
		if !errors.Is(err, providers.Denied) {
			t.Errorf("got %v", err)
		}
	}
}

// A shard is its range, not its list: what came or went since it was planned is as the bucket has it now.
func TestShard_ListsWhatIsThereNow(t *testing.T) {
	t.Parallel()
	w, b := filled(t, 10)
	w.Put(t, "0045", "new")
	if err := b.Delete(t.Context(), "005"); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for o, err := range (job.Shard{After: "003", Through: "005"}).List(t.Context(), b) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if !slices.Equal(keys, []string{"004", "0045"}) {
		t.Errorf("got %v", keys)
	}
}

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

func TestEach_FirstErrorEndsTheRest(t *testing.T) {
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

// A page of a listing is a request: a shard that ends where its page does must not ask for the next one.
func TestShard_ListLooksNoFurtherThanItsEnd(t *testing.T) {
	t.Parallel()
	_, b := filled(t, 30)
	seen := &seeing{Bucket: b}
	for _, err := range (job.Shard{After: "009", Through: "019"}).List(t.Context(), seen) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen.objects != 10 {
		t.Errorf("%d objects of the listing were taken, want 10", seen.objects)
	}
}

// seeing counts the objects that are taken from a listing.
type seeing struct {
	providers.Bucket
	objects int
}

func (s *seeing) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range s.Bucket.List(ctx, opts) {
			s.objects++
			if !yield(o, err) {
				return
			}
		}
	}
}
