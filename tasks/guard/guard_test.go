package guard

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

const panicValue = "out of order"

var errBroken = errors.New("broken")

func explode() error { panic(panicValue) }

func TestCall(t *testing.T) {
	t.Parallel()
	if err := Call(func() error { return errBroken }); !errors.Is(err, errBroken) {
		t.Errorf("an error: %v", err)
	}
	err := Call(explode)
	var p *PanicError
	if !errors.Is(err, ErrPanic) || !errors.As(err, &p) {
		t.Fatalf("a panic: %v", err)
	}
	if p.Value != panicValue || !strings.Contains(p.Stack, "explode") || strings.Contains(p.Error(), "explode") {
		t.Errorf("a panic: %+v", p)
	}
	again := Call(func() error { Rethrow(errors.Join(errBroken, err)); return nil })
	var q *PanicError
	if !errors.As(again, &q) || q != p {
		t.Errorf("a panic that was thrown again: %v", again)
	}
}

func TestGo_SendsOneErrorAndCloses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func() error
		want error
	}{
		"success":  {func() error { return nil }, nil},
		"an error": {func() error { return errBroken }, errBroken},
		"a panic":  {explode, ErrPanic},
		"Goexit":   {func() error { runtime.Goexit(); return nil }, errExit},
	} {
		ended := Go(c.do)
		if err := <-ended; !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, open := <-ended; open {
			t.Errorf("%s: the channel is open", name)
		}
	}
}

func TestGroup_ReturnsTheFirstError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func() error
		want error
	}{
		"an error": {func() error { return errBroken }, errBroken},
		"a panic":  {explode, ErrPanic},
		"Goexit":   {func() error { runtime.Goexit(); return nil }, errExit},
	} {
		g, ctx := WithContext(t.Context())
		g.Go(func() error { <-ctx.Done(); return ctx.Err() })
		g.Go(c.do)
		if err := g.Wait(); !errors.Is(err, c.want) || !errors.Is(context.Cause(ctx), c.want) {
			t.Errorf("%s: %v, cause %v; want %v", name, err, context.Cause(ctx), c.want)
		}
	}
}

func TestGroup_ContextEndsWithWait(t *testing.T) {
	t.Parallel()
	g, ctx := WithContext(t.Context())
	g.Go(func() error { return nil })
	if err := g.Wait(); err != nil || ctx.Err() == nil {
		t.Errorf("error %v, context %v", err, ctx.Err())
	}
}

func TestGroup_Limit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Group
		g.SetLimit(2)
		var running, finished atomic.Int32
		release := make(chan struct{})
		go func() {
			for range 5 {
				g.Go(func() error {
					running.Add(1)
					defer running.Add(-1)
					<-release
					finished.Add(1)
					return explode()
				})
			}
		}()
		for range 5 {
			synctest.Wait()
			if n := running.Load(); n > 2 || n < 1 {
				t.Fatalf("%d run at once", n)
			}
			release <- struct{}{}
		}
		synctest.Wait()
		if err := g.Wait(); !errors.Is(err, ErrPanic) || finished.Load() != 5 {
			t.Errorf("%d have ended, error %v", finished.Load(), err)
		}
	})
}
