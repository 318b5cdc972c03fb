package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// blocker blocks work until the test releases it. Blocked work ends
// with its context, as all work of a job must.
type blocker struct {
	blocked  chan struct{} // receives a token for each piece of blocked work
	released chan struct{}
}

func newBlocker() *blocker {
	return &blocker{make(chan struct{}, 1000), make(chan struct{})}
}

// block returns when the test has called release, or when ctx ends.
func (b *blocker) block(ctx context.Context) error {
	select {
	case <-b.released:
		return nil
	default:
	}
	b.blocked <- struct{}{}
	select {
	case <-b.released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// release lets all work continue, now and later.
func (b *blocker) release() { close(b.released) }

// waitBlocked waits until n more pieces of work are blocked.
func (b *blocker) waitBlocked(t testing.TB, n int) {
	t.Helper()
	for range n {
		receive(t, b.blocked, "work is blocked")
	}
}

// endlessWork is work that only its context ends. It counts how many
// pieces have begun and ended.
type endlessWork struct{ begun, ended atomic.Int64 }

func (w *endlessWork) do(ctx context.Context) error {
	w.begun.Add(1)
	<-ctx.Done()
	w.ended.Add(1)
	return ctx.Err()
}

// waitBegun waits until exactly n pieces have begun.
func (w *endlessWork) waitBegun(t testing.TB, n int64) {
	t.Helper()
	queuetest.Eventually(t, 30*time.Second, "the work begins", func() bool {
		return w.begun.Load() == n
	})
}

// waitEnded waits until all work has ended, n pieces at least. It fails
// if that takes longer than a cancelled job may.
func (w *endlessWork) waitEnded(t testing.TB, n int64) {
	t.Helper()
	from := time.Now()
	queuetest.Eventually(t, maxCancelTime, "the work ends", func() bool {
		ended := w.ended.Load()
		return ended >= n && ended == w.begun.Load()
	})
	t.Logf("the work of a cancelled job had ended after %v", time.Since(from))
}
