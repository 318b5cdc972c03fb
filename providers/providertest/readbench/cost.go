//go:build unix

package readbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/limits"
)

const readsPerRound = 2000

// cost is the time that one read takes: of the clock and of the
// processor.
type cost struct{ took, cpu time.Duration }

func (c cost) rate() float64 { return 1 / c.took.Seconds() }

// microseconds returns the processor time.
func (c cost) microseconds() float64 { return float64(c.cpu.Nanoseconds()) / 1000 }

// best returns the least of each time.
func best(rounds []cost) cost {
	least := rounds[0]
	for _, c := range rounds[1:] {
		least = cost{min(least.took, c.took), min(least.cpu, c.cpu)}
	}
	return least
}

// ratio returns the median of the rounds' ratios of two figures.
func ratio(figure func(cost) float64, of, to []cost) float64 {
	ratios := make([]float64, len(of))
	for i := range of {
		ratios[i] = figure(of[i]) / figure(to[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// readMany reads the objects of one round, so many at a time.
func readMany(b *testing.B, w way, inFlight int) cost {
	b.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	ctx := limits.For(b.Context(), limits.Read) // the client refuses what has no operation
	cpu, start := processorTime(b), time.Now()
	for range inFlight {
		wg.Go(func() {
			data := make([]byte, HeadBytes)
			for i := next.Add(1); i <= readsPerRound; i = next.Add(1) {
				key := fmt.Sprintf("images/%08d.jpg", i)
				if err := readHead(ctx, w, key, data); err != nil {
					b.Errorf("%s: %v", w.name, err)
					return
				}
			}
		})
	}
	wg.Wait()
	return cost{time.Since(start) / readsPerRound, (processorTime(b) - cpu) / readsPerRound}
}

func readHead(ctx context.Context, w way, key string, data []byte) error {
	body, err := w.open(ctx, key)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(body, data)
	if err == nil {
		_, err = io.Copy(io.Discard, body) // to the end, so that the connection can be used again
	}
	return errors.Join(err, body.Close())
}

// processorTime returns the time that this process has used the
// processor.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
