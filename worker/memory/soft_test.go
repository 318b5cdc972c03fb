package memory

import (
	"runtime/debug"
	"testing"
)

func TestLimitHeap(t *testing.T) { //nolint:paralleltest // it concerns the whole process
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	const budget = 256 << 20
	for available, want := range map[int64]int64{
		0: budget + uncounted, 100 << 30: budget + uncounted, 400 << 20: 360 << 20,
	} {
		if got := LimitHeap(budget, available); got != want || debug.SetMemoryLimit(-1) != want {
			t.Errorf("%d available: %d, want %d", available, got, want)
		}
	}
}
