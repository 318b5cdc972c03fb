package memory

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// waits returns when n requests wait.
func (b *Budget) waits(t *testing.T, n int) {
	t.Helper()
	for t.Context().Err() == nil {
		b.mu.Lock()
		now := len(b.growing) + len(b.waiting)
		b.mu.Unlock()
		if now == n {
			return
		}
		runtime.Gosched()
	}
	t.Fatal("too late")
}

// take asks for n bytes in the background.
func take(t *testing.T, b *Budget, n int64) (release <-chan func()) {
	t.Helper()
	granted := make(chan func(), 1)
	go func() {
		if release, err := b.Acquire(t.Context(), n); err == nil {
			granted <- release
		}
	}()
	return granted
}

func mustTake(t *testing.T, b *Budget, n int64) (release func()) {
	t.Helper()
	release, err := b.Acquire(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func isGranted(c <-chan func()) bool { return len(c) > 0 }

func TestAcquire_WaitsForRoom(t *testing.T) {
	t.Parallel()
	b := New(100)
	release := mustTake(t, b, 60)
	second := take(t, b, 60)
	b.waits(t, 1)
	release()
	release() // the second call gives nothing back
	(<-second)()
	if b.used != 0 || b.fixed != 0 || len(b.shares) != 0 {
		t.Errorf("%+v", b)
	}
}

func TestAcquire_RefusesWhatNeverFits(t *testing.T) {
	t.Parallel()
	b := New(64 << 20)
	_, err := b.Acquire(t.Context(), 2700<<20)
	var e *TooLargeError
	if !errors.As(err, &e) || *e != (TooLargeError{Need: 2700 << 20, Largest: 48 << 20, Limit: 64 << 20}) {
		t.Fatalf("got %v", err)
	}
	const want = "it needs 2700 MiB of memory, and may take 48 MiB: three quarters of the setting memory-budget, which is 64 MiB"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
	mustTake(t, b, b.Largest())()
}

func TestAcquire_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := New(100)
	release := mustTake(t, b, 75)
	cause := errors.New("cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() {
		_, err := b.Acquire(ctx, 70)
		done <- err
	}()
	b.waits(t, 1)
	behind := take(t, b, 40) // there is no room for both
	b.waits(t, 2)
	cancel(cause)
	if err := <-done; !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	release()
	(<-behind)()
}

// A large request is not starved by small ones that keep coming, and
// they need not stop while it waits.
func TestAcquire_SmallOnesOvertakeAndDoNotStarve(t *testing.T) {
	t.Parallel()
	b := New(100)
	release := mustTake(t, b, 50)
	large := take(t, b, 50)
	b.waits(t, 1)
	small := mustTake(t, b, 20) // 50 and 20 fit into 75
	another := take(t, b, 10)   // 50 and 30 do not
	b.waits(t, 2)
	release()
	releaseLarge := <-large
	if isGranted(another) {
		t.Error("a later request was granted although there was no room")
	}
	small()
	(<-another)()
	releaseLarge()
}

// Whatever is held for long, a quarter of the budget stays for others.
func TestAcquire_LongHeldSharesLeaveRoom(t *testing.T) {
	t.Parallel()
	b := New(100)
	release := mustTake(t, b, 75)
	third := take(t, b, 1)
	b.waits(t, 1)
	s, err := b.Claim(25)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Grow(t.Context(), 25); err != nil { // it need not wait
		t.Fatal(err)
	}
	release()
	(<-third)()
	s.Release()
}

func TestTryAcquire(t *testing.T) {
	t.Parallel()
	b := New(100)
	release, ok := b.TryAcquire(50)
	if _, second := b.TryAcquire(50); !ok || second {
		t.Errorf("the first %t, the second %t", ok, second)
	}
	release()
	if _, ok := b.TryAcquire(76); ok || b.used != 0 || len(b.waiting) > 0 {
		t.Errorf("%+v", b)
	}
}

// A share that grows slowly holds only what it has.
func TestShare_GrowsInSteps(t *testing.T) {
	t.Parallel()
	b := New(100)
	slow, err := b.Claim(75)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := slow.Grow(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		mustTake(t, b, 15)()
	}
	if err := slow.Grow(t.Context(), 1000); err != nil || slow.held != 75 || b.used != 75 {
		t.Errorf("it holds %d, %v; the claim is 75", slow.held, err)
	}
	slow.Release()
}

// Two shares that hold a half each and want more would wait for each
// other for ever.
func TestShare_GrowingSharesDoNotBlockEachOther(t *testing.T) {
	t.Parallel()
	b := New(100)
	var all [3]*Share
	for i := range all {
		all[i], _ = b.Claim(70)
	}
	ended := make(chan struct{})
	for _, s := range all {
		go func() {
			for range 70 {
				if s.Grow(t.Context(), 1) != nil {
					return
				}
			}
			s.Release()
			ended <- struct{}{}
		}()
	}
	for range all {
		<-ended
	}
	if b.used != 0 {
		t.Errorf("%d bytes are still used", b.used)
	}
}

// A slow body with a large claim does not stop what fits beside the
// bytes that it has.
func TestShare_SlowLargeClaimStopsNobody(t *testing.T) {
	t.Parallel()
	b := New(100)
	slow, _ := b.Claim(75)
	if err := slow.Grow(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	mustTake(t, b, 70)() // a document
	image, _ := b.Claim(75)
	if err := image.Grow(t.Context(), 75); err != nil {
		t.Fatal(err)
	}
	image.Release()
	slow.Release()
}

// Exports hold a share for long and claim others beside it. Nobody
// waits for ever.
func TestClaimBeside(t *testing.T) {
	t.Parallel()
	b := New(100)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			release := mustTake(t, b, 37)
			defer release()
			for range 50 {
				s, _ := b.ClaimBeside(b.LargestBeside())
				for s.need() > 0 && s.Grow(t.Context(), 4) == nil {
					runtime.Gosched()
				}
				s.Release()
			}
		})
		wg.Go(func() {
			for range 50 {
				s, _ := b.Claim(b.Largest())
				for s.need() > 0 && s.Grow(t.Context(), 20) == nil {
					runtime.Gosched()
				}
				s.Release()
			}
		})
	}
	wg.Wait()
}

// Everything ends, and never more than the limit is in use.
func TestBudget_ManyShares(t *testing.T) {
	t.Parallel()
	b := New(1000)
	var used atomic.Int64
	check := func(n int64) {
		if now := used.Add(n); now > b.Limit() {
			t.Errorf("%d bytes are in use", now)
		}
	}
	var wg sync.WaitGroup
	for worker := range uint64(16) {
		random := rand.New(rand.NewPCG(worker, 1))
		wg.Go(func() {
			for range 300 {
				claim := 1 + random.Int64N(b.Largest())
				if random.IntN(3) == 0 {
					release := mustTake(t, b, claim)
					check(claim)
					used.Add(-claim)
					release()
					continue
				}
				s, _ := b.Claim(claim)
				ctx, cancel := context.WithCancel(t.Context())
				if random.IntN(4) == 0 {
					cancel()
				}
				for s.need() > 0 {
					before := s.held
					if s.Grow(ctx, 1+random.Int64N(claim)) != nil {
						break
					}
					check(s.held - before)
				}
				cancel()
				used.Add(-s.held)
				s.Release()
			}
		})
	}
	wg.Wait()
	if b.used != 0 || b.fixed != 0 || b.passed != 0 || len(b.shares)+len(b.growing)+len(b.waiting) > 0 {
		t.Errorf("at the end: %+v", b)
	}
}

func TestTooLargeError_RoundsSoThatItIsTrue(t *testing.T) {
	t.Parallel()
	text := (&TooLargeError{Need: 48<<20 + 1, Largest: 48 << 20, Limit: 64 << 20}).Error()
	if !strings.Contains(text, "needs 49 MiB") {
		t.Error(text)
	}
}
