package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

var errBroken = errors.New("broken")

func objects(n int) (all []job.Listed) {
	for i := range n {
		all = append(all, job.Listed{Object: providers.Object{Key: fmt.Sprintf("%03d", i)}})
	}
	return all
}

func key(_ context.Context, o job.Listed) (string, error) { return o.Key, nil }

func until(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestOrdered_KeepsTheOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, 0, 1, 3, 1000} {
		var now, most atomic.Int64
		var got []string
		for k, err := range job.Ordered(t.Context(), job.Env{Parallel: n}, objects(200), func(_ context.Context, o job.Listed) (string, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			return o.Key, nil
		}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, k)
		}
		if len(got) != 200 || !slices.IsSorted(got) || len(slices.Compact(got)) != 200 || most.Load() > int64(max(n, 1)) {
			t.Errorf("parallel %d: %d results, %d at once", n, len(got), most.Load())
		}
	}
	for k, err := range job.Ordered(t.Context(), job.Env{Parallel: 3}, nil, key) {
		t.Errorf("of nothing came %q, %v", k, err)
	}
}

// A result is yielded while those after it are still worked on, and a slow
// one holds up nobody's work.
func TestOrdered_NobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which notices when all are waiting
		seen, last := make(chan struct{}), make(chan struct{})
		n := 0
		for k, err := range job.Ordered(t.Context(), job.Env{Parallel: 2}, objects(50), func(ctx context.Context, o job.Listed) (string, error) {
			switch o.Key {
			case "001":
				return o.Key, until(ctx, seen)
			case "010":
				return o.Key, until(ctx, last)
			case "049":
				close(last)
			}
			return o.Key, nil
		}) {
			if err != nil {
				t.Fatal(err)
			}
			if k == "000" {
				close(seen)
			}
			n++
		}
		if n != 50 {
			t.Errorf("%d results", n)
		}
	})
}

// Nothing of it goes on when the loop is left: neither after a break, nor
// after an error.
func TestOrdered_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		var running, after atomic.Int64
		for _, err := range job.Ordered(t.Context(), job.Env{Parallel: 4}, objects(50), func(ctx context.Context, o job.Listed) (string, error) {
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
		}) {
			if err != nil && !errors.Is(err, errBroken) {
				t.Fatal(err)
			}
			if after.Load() > 0 {
				t.Error("it was cancelled before the loop was left")
			}
			if n := running.Load(); n > 4 {
				t.Errorf("%d at once", n)
			}
			if err == nil && !fails {
				break
			}
		}
		if n := running.Load(); n != 0 {
			t.Errorf("%d still run", n)
		}
	}
}

func TestOrdered_ErrorsComeInTheirPlace(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"an error": func() error { return errBroken },
		"a panic":  func() error { return objects(0)[1].Err },
	} {
		for _, env := range []job.Env{{Parallel: 1}, {Parallel: 8}, {Parallel: 8, Starting: func(context.Context, string) error { return nil }}} {
			var got []string
			var last error
			calls := 0
			broke := make(chan struct{})
			for k, err := range job.Ordered(t.Context(), env, objects(100), func(ctx context.Context, o job.Listed) (string, error) {
				switch {
				case o.Key == "006" && env.Parallel > 1 && env.Starting == nil:
					return o.Key, until(ctx, broke) // the error is there before it, and comes after it
				case o.Key == "007":
					defer close(broke)
					return "half", fail()
				}
				return o.Key, nil
			}) {
				calls++
				if last = err; err == nil {
					got = append(got, k)
				} else if k != "" {
					t.Errorf("%s: came with the value %q", name, k)
				}
			}
			if want := []string{"000", "001", "002", "003", "004", "005", "006"}; !slices.Equal(got, want) || calls != 8 {
				t.Errorf("%s: %v in %d calls", name, got, calls)
			}
			if want := map[string]error{"an error": errBroken, "a panic": job.ErrPanic}[name]; !errors.Is(last, want) {
				t.Errorf("%s: %v", name, last)
			}
		}
	}
}

// What was done before the context ended is kept, and then comes the reason
// for its end.
func TestOrdered_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	drain := errors.New("drain")
	for _, starting := range []func(context.Context, string) error{nil, func(context.Context, string) error { return nil }} {
		ctx, cancel := context.WithCancelCause(t.Context())
		var got []string
		var last error
		for k, err := range job.Ordered(ctx, job.Env{Parallel: 2, Starting: starting}, objects(100), func(ctx context.Context, o job.Listed) (string, error) {
			switch o.Key {
			case "003":
				return o.Key, nil
			case "004":
				cancel(drain)
				<-ctx.Done()
				return "", ctx.Err()
			}
			return o.Key, nil
		}) {
			if last = err; err == nil {
				got = append(got, k)
			}
		}
		if !errors.Is(last, drain) || !slices.Equal(got, []string{"000", "001", "002", "003"}) {
			t.Errorf("%v, %v", got, last)
		}
	}
}

// Starting, the work and the loop's body take turns: who looks for a killer
// knows which object it was.
func TestOrdered_Starting(t *testing.T) {
	t.Parallel()
	var steps []string // without a lock: -race sees when there are two at once
	env := job.Env{Parallel: 8, Starting: func(_ context.Context, key string) error {
		steps = append(steps, "start "+key)
		if key == "002" {
			return errBroken
		}
		return nil
	}}
	for k, err := range job.Ordered(t.Context(), env, objects(5), func(_ context.Context, o job.Listed) (string, error) {
		steps = append(steps, "do "+o.Key)
		return o.Key, nil
	}) {
		steps = append(steps, fmt.Sprintf("got %s %v", k, err))
	}
	if diff := cmp.Diff([]string{
		"start 000", "do 000", "got 000 <nil>", "start 001", "do 001", "got 001 <nil>", "start 002", "got  broken",
	}, steps); diff != "" {
		t.Error(diff)
	}
	steps = nil
	for _, err := range job.Ordered(t.Context(), env, objects(5), key) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if !slices.Equal(steps, []string{"start 000"}) {
		t.Errorf("after a break: %v", steps)
	}
}
