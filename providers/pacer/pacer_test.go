package pacer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// paceTest runs a test with a pacer and the clock of synctest.
func paceTest(t *testing.T, most int, test func(*testing.T, *Pacer)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, New(most)) })
}

func (p *Pacer) mustEnter(t *testing.T, name string, n int) (turns []turn) {
	t.Helper()
	for range n {
		u, err := p.enter(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		turns = append(turns, u)
	}
	return turns
}

func expect(t *testing.T, p *Pacer, want int, when string) {
	t.Helper()
	if got := p.Limits()["b"]; got != want {
		t.Errorf("%s: %d, want %d", when, got, want)
	}
}

func TestPacer_Halves(t *testing.T) {
	t.Parallel()
	check := func(name string, test func(*testing.T, *Pacer)) {
		t.Run(name, func(t *testing.T) { paceTest(t, 64, test) })
	}
	check("what was in use", func(t *testing.T, p *Pacer) {
		turns := p.mustEnter(t, "b", 12)
		turns[11].learn(providers.Throttled)
		expect(t, p, 6, "12 of 64 were in flight")
	})
	check("once a second", func(t *testing.T, p *Pacer) {
		p.mustEnter(t, "b", 64)[63].learn(providers.Throttled)
		late := turn{p, p.limits["b"], 64, 1}
		<-time.After(minChangeInterval - 1)
		late.learn(providers.Throttled)
		expect(t, p, 32, "within a second")
		<-time.After(1)
		late.learn(providers.Throttled)
		expect(t, p, 16, "after a second")
	})
	check("not for what was sent before", func(t *testing.T, p *Pacer) {
		turns := p.mustEnter(t, "b", 64)
		turns[63].learn(providers.Throttled)
		<-time.After(time.Minute)
		turns[62].learn(providers.Throttled)
		expect(t, p, 32, "sent a minute ago")
	})
	check("never to 0", func(t *testing.T, p *Pacer) {
		p.mustEnter(t, "b", 1)[0].learn(providers.Throttled)
		expect(t, p, 1, "one was in flight")
	})
}

func TestPacer_Rises(t *testing.T) {
	paceTest(t, 8, func(t *testing.T, p *Pacer) {
		turns := p.mustEnter(t, "b", 4)
		turns[3].learn(providers.Throttled)
		<-time.After(minChangeInterval)
		full := turn{p, p.limits["b"], 2, 1}
		for _, err := range []error{providers.Unavailable, providers.Denied, errors.New("unknown")} {
			full.learn(err)
			expect(t, p, 2, err.Error())
		}
		full.learn(providers.NotFound)
		expect(t, p, 3, "answered")
		full.sent = 8
		full.learn(nil)
		expect(t, p, 3, "answered in the same second")
		for range 20 {
			<-time.After(minChangeInterval)
			full.learn(nil)
		}
		expect(t, p, 8, "answered for a long time")
	})
}

// A Put with a streamed body leaves its turn before its result is
// known. If the result raises the limit, the next in the queue must
// get its turn.
func TestPacer_RaisingAdmits(t *testing.T) {
	paceTest(t, 8, func(t *testing.T, p *Pacer) {
		turns := p.mustEnter(t, "b", 2)
		turns[1].learn(providers.Throttled)
		turns[1].leave()
		<-time.After(minChangeInterval)
		entered := make(chan error, 1)
		go func() {
			_, err := p.enter(t.Context(), "b")
			entered <- err
		}()
		synctest.Wait()
		turn{p, p.limits["b"], 1, 1}.learn(nil)
		synctest.Wait()
		select {
		case err := <-entered:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("nobody was admitted")
			turns[0].leave()
		}
	})
}

// A turn that is given at the moment when the context ends goes to
// the next in the queue.
func TestPacer_LosesNoTurn(t *testing.T) {
	paceTest(t, 1, func(t *testing.T, p *Pacer) {
		holder := p.mustEnter(t, "b", 1)[0]
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := p.enter(ctx, "b")
			ended <- err
		}()
		synctest.Wait()
		p.mu.Lock() // so that the waiting goroutine sees both at once
		cancel()
		holder.limit.inFlight--
		holder.limit.admit()
		p.mu.Unlock()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if n := holder.limit.inFlight; n != 0 {
			t.Errorf("%d still in flight", n)
		}
	})
}

// A process that sees many buckets keeps only the limits of those in
// use.
func TestPacer_Forgets(t *testing.T) {
	paceTest(t, 8, func(t *testing.T, p *Pacer) {
		for i := range 100 {
			p.mustEnter(t, fmt.Sprint(i), 1)[0].leave()
		}
		busy := p.mustEnter(t, "busy", 1)[0]
		lowered := p.mustEnter(t, "b", 1)[0]
		lowered.learn(providers.Throttled)
		lowered.leave()
		<-time.After(maxIdle / 2)
		p.mustEnter(t, "99", 1)[0].leave()
		<-time.After(maxIdle/2 + time.Second)
		p.mustEnter(t, "new", 1)[0].leave()
		if len(p.limits) != 3 || p.limits["busy"] == nil || p.limits["99"] == nil {
			t.Errorf("the limits are %v", p.Limits())
		}
		busy.leave()
		p.mustEnter(t, "b", 1)
		expect(t, p, 8, "long after it was lowered")
		<-time.After(maxIdle + time.Second)
		if limits := p.Limits(); len(limits) != 1 || limits["b"] != 8 {
			t.Errorf("the limits are %v", limits)
		}
	})
}
