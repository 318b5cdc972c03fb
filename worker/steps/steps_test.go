package steps

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var errStopped = errors.New("the worker stops")

func TestCounter_EndsSoonAfterItsContext(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 7, every - 1, every, 1 << 40} {
		ctx, cancel := context.WithCancelCause(t.Context())
		var c Counter
		for range 10 {
			if err := c.Add(ctx, n); err != nil {
				t.Fatal(err)
			}
		}
		cancel(errStopped)
		more, err := 0, error(nil)
		for ; err == nil && more <= every; more += n {
			err = c.Add(ctx, n)
		}
		if !errors.Is(err, errStopped) || more > every+n {
			t.Errorf("%d units at once: %v after %d units", n, err, more)
		}
		if err := c.Add(ctx, every); !errors.Is(err, errStopped) {
			t.Errorf("%d units at once: %v when it is asked again", n, err)
		}
	}
}

func TestReader_FailsAfterItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	r := Reader(ctx, strings.NewReader("some text"))
	first := make([]byte, 4)
	if _, err := io.ReadFull(r, first); err != nil || string(first) != "some" {
		t.Errorf("%q, %v", first, err)
	}
	cancel(errStopped)
	if rest, err := io.ReadAll(r); !errors.Is(err, errStopped) || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestWriter_FailsAfterItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	var to strings.Builder
	w := Writer(ctx, &to)
	if n, err := io.WriteString(w, "some"); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	cancel(errStopped)
	if n, err := io.WriteString(w, "more"); n != 0 || !errors.Is(err, errStopped) || to.String() != "some" {
		t.Errorf("%d, %v, %q", n, err, to.String())
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	list := rand.New(rand.NewPCG(1, 2)).Perm(100_000)
	if err := Sort(t.Context(), list, cmp.Compare[int]); err != nil || !slices.IsSorted(list) {
		t.Errorf("%v, or not sorted", err)
	}
}

// After the end of its context Sort compares only a few elements more.
func TestSort_EndsSoonAfterItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	list := rand.New(rand.NewPCG(1, 2)).Perm(100_000)
	compared := 0
	err := Sort(ctx, list, func(a, b int) int {
		if compared++; compared == 1000 {
			cancel(errStopped)
		}
		return cmp.Compare(a, b)
	})
	if !errors.Is(err, errStopped) || compared > 1000+every/comparison {
		t.Errorf("%v after %d comparisons", err, compared)
	}
}

// A loop with a counter costs about a nanosecond a unit.
func BenchmarkCounter(b *testing.B) {
	var c Counter
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for b.Loop() {
		if err := c.Add(ctx, 1); err != nil {
			b.Fatal(err)
		}
	}
}
