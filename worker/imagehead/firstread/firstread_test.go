package firstread

import (
	"fmt"
	"testing"
)

func learned(normal int64, needs ...int64) int64 {
	var s Sizes
	for range minHeads {
		for _, need := range needs {
			s.Learn(".jpg", normal, need)
		}
	}
	return s.Get(".jpg", normal)
}

func TestSizeFollowsTheHeads(t *testing.T) {
	t.Parallel()
	const k = 1 << 10
	for _, c := range []struct {
		needs []int64
		want  int64
	}{
		{[]int64{100}, 4 * k},                                // never below the normal size
		{[]int64{23 * k}, 24 * k},                            // all alike
		{[]int64{9 * k, 10 * k, 12 * k, 12 * k}, 12 * k},     // nearly all
		{[]int64{1 * k, 1 * k, 1 * k, 1 * k, 60 * k}, 4 * k}, // one in five is not worth it
		{[]int64{1 << 40}, 4 * k},                            // no first read is enough
		{[]int64{-1}, 4 * k},
	} {
		if got := learned(4*k, c.needs...); got != c.want {
			t.Errorf("%d: %d, want %d", c.needs, got, c.want)
		}
	}
}

func TestSizesOfOtherNamesStay(t *testing.T) {
	t.Parallel()
	var s Sizes
	for i := range 10_000 {
		s.Learn(fmt.Sprint(i), 4096, 20_000)
	}
	for range minHeads {
		s.Learn("0", 4096, 20_000)
	}
	if len(s.byName) != maxNames || s.Get("0", 4096) < 20_000 || s.Get("1", 4096) != 4096 || s.Get("x", 5) != 5 {
		t.Errorf("%d names, %d, %d", len(s.byName), s.Get("0", 4096), s.Get("1", 4096))
	}
}

// All shards of a job share what was learned. Old jobs are forgotten.
func TestJobsAreBounded(t *testing.T) {
	t.Parallel()
	var j Jobs
	first := j.Of("first")
	if j.Of("first") != first || j.Of("second") == first {
		t.Error("the sizes do not belong to one job")
	}
	for i := range 10 * maxJobs {
		j.Of(fmt.Sprint(i))
	}
	if len(j.sizes) != maxJobs || len(j.oldest) != maxJobs || j.Of("first") == first {
		t.Errorf("%d jobs are remembered", len(j.sizes))
	}
}
