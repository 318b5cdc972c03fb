package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

var errBroken = errors.New("broken")

func objects(n int) (all []ListedObject) {
	for i := range n {
		all = append(all, ListedObject{Object: providers.Object{Key: fmt.Sprintf("%03d", i)}})
	}
	return all
}

func key(_ context.Context, o ListedObject) (string, error) { return o.Key, nil }

type keys = Prefetch[ListedObject, string]

// until waits for done or for the end of ctx.
func until(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestPrefetch_KeepsTheOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, 0, 1, 3, 1000} {
		for _, ahead := range []int{0, 1, 7} {
			var now, most atomic.Int64
			var got []string
			for k, err := range (keys{Parallel: n, Ahead: ahead, Do: func(_ context.Context, o ListedObject) (string, error) {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				return o.Key, nil
			}}).Range(t.Context(), objects(200)) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, k)
			}
			if len(got) != 200 || !slices.IsSorted(got) || len(slices.Compact(got)) != 200 || most.Load() > int64(max(n, 1)) {
				t.Errorf("parallel %d, ahead %d: %d results, %d at once", n, ahead, len(got), most.Load())
			}
		}
	}
	for k, err := range (keys{Do: key, Parallel: 3}).Range(t.Context(), nil) {
		t.Errorf("no items gave %q, %v", k, err)
	}
}

// Without a limit, a result is yielded while later items are in
// progress, and a slow item delays no work on later ones.
func TestPrefetch_SlowItemDelaysNoWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // fails if all goroutines wait
		first, last := make(chan struct{}), make(chan struct{})
		n := 0
		for k, err := range (keys{Parallel: 2, Do: func(ctx context.Context, o ListedObject) (string, error) {
			switch o.Key {
			case "001":
				return o.Key, until(ctx, first)
			case "010":
				return o.Key, until(ctx, last)
			case "049":
				close(last)
			}
			return o.Key, nil
		}}).Range(t.Context(), objects(50)) {
			if err != nil {
				t.Fatal(err)
			}
			if k == "000" {
				close(first)
			}
			n++
		}
		if n != 50 {
			t.Errorf("%d results", n)
		}
	})
}

// With a limit, no more than Ahead results are in progress or ready
// while the loop's body runs.
func TestPrefetch_AheadIsALimit(t *testing.T) {
	t.Parallel()
	for _, ahead := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			var begun atomic.Int64
			yielded := int64(0)
			for _, err := range (keys{Parallel: 8, Ahead: ahead, Do: func(ctx context.Context, o ListedObject) (string, error) {
				begun.Add(1)
				return key(ctx, o)
			}}).Range(t.Context(), objects(50)) {
				if err != nil {
					t.Fatal(err)
				}
				yielded++
				synctest.Wait()
				if n := begun.Load() - yielded; n > int64(ahead) || n < min(int64(ahead), 50-yielded) {
					t.Errorf("%d results ahead of the loop, want %d", n, ahead)
				}
			}
		})
	}
}

// No call continues after the loop is left, after a break or an error.
func TestPrefetch_LeavesNothingRunning(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		var running, after atomic.Int64
		for _, err := range (keys{Parallel: 4, Do: func(ctx context.Context, o ListedObject) (string, error) {
			running.Add(1)
			defer running.Add(-1)
			switch {
			case o.Key == "005" && fails:
				return "", errBroken
			case o.Key > "005":
				<-ctx.Done()
				after.Add(1)
			}
			return o.Key, ctx.Err()
		}}).Range(t.Context(), objects(50)) {
			if err != nil && !errors.Is(err, errBroken) {
				t.Fatal(err)
			}
			if after.Load() > 0 {
				t.Error("calls were cancelled before the loop was left")
			}
			if n := running.Load(); n > 4 {
				t.Errorf("%d at once", n)
			}
			if err == nil && !fails {
				break
			}
		}
		if n := running.Load(); n != 0 {
			t.Errorf("%d calls still run", n)
		}
	}
}

// Each result is yielded or discarded, wherever the loop ends.
func TestPrefetch_DiscardsTheRest(t *testing.T) {
	t.Parallel()
	for _, stop := range []int{0, 5, 29, 40} {
		var open atomic.Int64
		p := keys{
			Parallel: 4, Ahead: 4,
			Do: func(_ context.Context, o ListedObject) (string, error) {
				if o.Key == "030" {
					return "half", errBroken
				}
				open.Add(1)
				return o.Key, nil
			},
			Discard: func(string) { open.Add(-1) },
		}
		next := 0
		for k, err := range p.Range(t.Context(), objects(40)) {
			if err != nil {
				if next != 30 || !errors.Is(err, errBroken) {
					t.Errorf("%v at %d", err, next)
				}
				break
			}
			if k != fmt.Sprintf("%03d", next) {
				t.Errorf("%s, want %d", k, next)
			}
			open.Add(-1)
			if next++; next > stop {
				break
			}
		}
		if n := open.Load(); n != 0 {
			t.Errorf("stopped after %d: %d results are left", stop, n)
		}
	}
}

// ranges are the two ways to work on a shard's objects: at once and one
// by one.
func ranges(do func(context.Context, ListedObject) (string, error)) map[string]func(context.Context, []ListedObject) []ranged {
	collectKeys := func(ctx context.Context, all []ListedObject) (got []ranged) {
		for k, err := range (keys{Do: do, Parallel: 2}).Range(ctx, all) {
			got = append(got, ranged{k, err})
		}
		return got
	}
	collectCareful := func(ctx context.Context, all []ListedObject) (got []ranged) {
		c := careful{
			env: Env{BeforeObject: func(context.Context, string) error { return nil }},
			handle: func(ctx context.Context, o ListedObject) (handledObject, error) {
				k, err := do(ctx, o)
				return handledObject{item: Item{Key: k}}, err
			},
		}
		for h, err := range c.Range(ctx, all) {
			got = append(got, ranged{h.item.Key, err})
		}
		return got
	}
	return map[string]func(context.Context, []ListedObject) []ranged{"at once": collectKeys, "one by one": collectCareful}
}

type ranged struct {
	key string
	err error
}

func TestRange_ErrorsComeInTheirPlace(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"an error": func() error { return errBroken },
		"a panic":  func() error { return objects(0)[1].Err },
	} {
		broke := make(chan struct{}, 2)
		for mode, run := range ranges(func(_ context.Context, o ListedObject) (string, error) {
			if o.Key == "007" {
				broke <- struct{}{}
				return "half", fail()
			}
			return o.Key, nil
		}) {
			all := run(t.Context(), objects(100))
			if len(all) != 8 {
				t.Fatalf("%s, %s: %d results", mode, name, len(all))
			}
			for i, r := range all[:7] {
				if r.err != nil || r.key != fmt.Sprintf("%03d", i) {
					t.Errorf("%s, %s: result %d is %q, %v", mode, name, i, r.key, r.err)
				}
			}
			if want := map[string]error{"an error": errBroken, "a panic": guard.ErrPanic}[name]; !errors.Is(all[7].err, want) || all[7].key != "" {
				t.Errorf("%s, %s: %q, %v", mode, name, all[7].key, all[7].err)
			}
		}
	}
}

// An error that happens before an earlier item is done is yielded after
// it.
func TestPrefetch_ErrorWaitsForEarlierResults(t *testing.T) {
	t.Parallel()
	broke := make(chan struct{})
	var got []string
	var last error
	for k, err := range (keys{Parallel: 8, Do: func(ctx context.Context, o ListedObject) (string, error) {
		switch o.Key {
		case "006":
			return o.Key, until(ctx, broke)
		case "007":
			defer close(broke)
			return "half", errBroken
		}
		return o.Key, nil
	}}).Range(t.Context(), objects(100)) {
		if last = err; err == nil {
			got = append(got, k)
		}
	}
	if want := []string{"000", "001", "002", "003", "004", "005", "006"}; !slices.Equal(got, want) || !errors.Is(last, errBroken) {
		t.Errorf("%v, %v", got, last)
	}
}

// Results from before the end of the context are yielded, and then its
// cause.
func TestRange_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	drain := errors.New("drain")
	for _, mode := range []string{"at once", "one by one"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		var before sync.WaitGroup // the items before 004
		before.Add(4)
		got := ranges(func(ctx context.Context, o ListedObject) (string, error) {
			switch {
			case o.Key < "004":
				before.Done()
			case o.Key == "004":
				before.Wait()
				cancel(drain)
				<-ctx.Done()
				return "", ctx.Err()
			}
			return o.Key, nil
		})[mode](ctx, objects(100))
		if len(got) != 5 || got[3].key != "003" || got[3].err != nil || !errors.Is(got[4].err, drain) {
			t.Errorf("%s: %v", mode, got)
		}
	}
}

// BeforeObject, the work and the loop's body take turns, so the engine
// knows which object was touched when a worker died.
func TestItems_BeforeObject(t *testing.T) {
	t.Parallel()
	var steps []string // no lock: the race detector reports two steps at once
	env := Env{Parallel: 8, BeforeObject: func(_ context.Context, key string) error {
		steps = append(steps, "before "+key)
		if key == "002" {
			return errBroken
		}
		return nil
	}}
	do := func(_ context.Context, o providers.Object) (Item, error) {
		steps = append(steps, "do "+o.Key)
		return Item{}, nil
	}
	for i, err := range (Shard{}).Items(t.Context(), env, objects(5), do) {
		steps = append(steps, fmt.Sprintf("got %s %v", i.Key, err))
	}
	if diff := cmp.Diff([]string{
		"before 000", "do 000", "got 000 <nil>", "before 001", "do 001", "got 001 <nil>", "before 002", "got  broken",
	}, steps); diff != "" {
		t.Error(diff)
	}

	steps = nil
	for _, err := range (Shard{}).Items(t.Context(), env, objects(5), do) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if !slices.Equal(steps, []string{"before 000", "do 000"}) {
		t.Errorf("after a break: %v", steps)
	}
}

// An error of Before ends the loop. Everything that was begun before is
// yielded, so nothing is begun in vain.
func TestPrefetch_BeforeEndsTheLoopInOrder(t *testing.T) {
	t.Parallel()
	for range 200 {
		asked, begun := 0, atomic.Int32{}
		p := Prefetch[int, int]{
			Parallel: 4,
			Before: func() error {
				if asked++; asked > 5 {
					return errBefore
				}
				return nil
			},
			Do: func(_ context.Context, i int) (int, error) { begun.Add(1); return i, nil },
		}
		var got []int
		var last error
		for i, err := range p.Range(t.Context(), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			if last = err; err == nil {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, []int{0, 1, 2, 3, 4}) || begun.Load() != 5 || !errors.Is(last, errBefore) {
			t.Fatalf("got %v, %d begun, error %v", got, begun.Load(), last)
		}
	}
}

var errBefore = errors.New("not now")
