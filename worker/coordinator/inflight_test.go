package coordinator

import (
	"testing"
	"time"
)

// A job has few shards in flight while they take long, and more when
// they are done quickly.
func TestInflightFollowsPace(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	var l inflightLimit
	for _, c := range []struct {
		second float64
		done   int64
		want   int
	}{
		{0, 500, 3}, // a coordinator that takes over
		{0.1, 504, 7},
		{0.2, 512, 15},
		{0.4, 540, 43},
		{1, 620, 64}, // never more
		{5.3, 625, 64},
		{7, 625, 8}, // five in the last five seconds
		{11, 625, 3},
		{20, 626, 4},
		{30, 620, 3}, // Redis has lost its last second
	} {
		now := start.Add(time.Duration(c.second * float64(time.Second)))
		if got := l.update(now, c.done, 2); got != c.want {
			t.Errorf("after %v s, with %d shards done: %d, want %d", c.second, c.done, got, c.want)
		}
	}
	for slots, want := range map[int]int{1: 2, 100: 150} {
		if got := new(inflightLimit).update(start, 0, slots); got != want {
			t.Errorf("with %d slots: %d", slots, got)
		}
	}
}
