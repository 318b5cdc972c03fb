package leftover_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/worker/leftover"
)

var (
	errStop = errors.New("stop")
	labels  = leftover.Labels{Pool: "shards", Kind: "build-manifest", Job: "j", Task: "j:s:1"}
)

// logBook is a log that may be read while it is written.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Code that returns soon after the end of its context is waited for,
// and what it returns counts.
func TestCallWaitsForCodeThatObeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := leftover.New(slog.New(slog.DiscardHandler))
		a := w.Attempt(labels)
		ctx, cancel := context.WithCancelCause(t.Context())
		errOwn := errors.New("own")
		time.AfterFunc(time.Minute, func() { cancel(errStop) })
		err := a.Call(ctx, func() error {
			<-ctx.Done()
			<-time.After(400 * time.Millisecond)
			return errOwn
		})
		if !errors.Is(err, errOwn) || w.Count("shards") != 0 {
			t.Errorf("%v, %d leftovers", err, w.Count("shards"))
		}
		freed := false
		a.Release(func() { freed = true })
		if !freed {
			t.Error("the slot is not free")
		}
	})
}

// Code that does not return is left after a second. It keeps its slot
// until it returns, and is logged once.
func TestCallLeavesCodeThatDoesNotObey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log logBook
		w := leftover.New(slog.New(slog.NewTextHandler(&log, nil)))
		a := w.Attempt(labels)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errStop)
		end := make(chan struct{})
		began := time.Now()
		err := a.Call(ctx, func() error {
			<-end
			return nil
		})
		if took := time.Since(began); !errors.Is(err, errStop) || took > time.Second {
			t.Errorf("%v after %v", err, took)
		}
		freed := make(chan struct{})
		a.Release(func() { close(freed) })
		if w.Count("shards") != 1 || w.Count("jobs") != 0 {
			t.Errorf("%d leftovers in the pool, %d in another", w.Count("shards"), w.Count("jobs"))
		}
		<-time.After(9 * time.Second)
		synctest.Wait()
		if log.String() != "" {
			t.Errorf("logged too early: %s", log.String())
		}
		<-time.After(time.Hour)
		synctest.Wait()
		line := log.String()
		for _, part := range []string{"kind=build-manifest", "job=j ", "task=j:s:1", "since=2000-01-01T00:00:00Z"} {
			if strings.Count(line, part) != 1 {
				t.Errorf("%q is not once in the log:\n%s", part, line)
			}
		}
		select {
		case <-freed:
			t.Error("the slot is free while the code runs")
		default:
		}
		close(end)
		<-freed
		if n := w.Count("shards"); n != 0 {
			t.Errorf("%d leftovers after the end", n)
		}
	})
}

// A worker that stops logs what still runs.
func TestLogAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log logBook
		w := leftover.New(slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errStop)
		end := make(chan struct{})
		a := w.Attempt(labels)
		_ = a.Call(ctx, func() error { <-end; return nil })
		w.LogAll()
		if !strings.Contains(log.String(), "job=j ") {
			t.Errorf("the log is %q", log.String())
		}
		close(end)
		<-a.Returned()
	})
}

// A panic is an error, also of code that was left.
func TestCallGuards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := leftover.New(slog.New(slog.DiscardHandler)).Attempt(labels)
		if err := a.Call(t.Context(), func() error { panic("boom") }); !errors.Is(err, guard.ErrPanic) {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = a.Call(ctx, func() error {
			<-time.After(time.Minute)
			panic("boom")
		})
		<-a.Returned()
	})
}
