package pacer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

const (
	maxTries     = 8
	maxRetryTime = 30 * time.Second
	firstWait    = 200 * time.Millisecond // at most; doubles with each try
	maxWait      = 10 * time.Second
)

// operation is what errors say about a request.
type operation struct{ op, key string }

// retry makes a request that can be repeated, until its error is not
// Throttled, or the tries or the time are used up.
func retry[T any](
	ctx context.Context, b bucket, o operation, request func() (T, error),
) (T, error) {
	end := time.Now().Add(maxRetryTime)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	var throttled error
	for try := 1; ; try++ {
		t, err := b.pacer.enter(ctx, b.name)
		if err != nil {
			var none T
			return none, b.contextError(o, err, throttled)
		}
		v, err := inTurn(t, request)
		if providers.KindOf(err) != providers.Throttled || try == maxTries {
			return v, err
		}

		throttled = err
		wait := waitAfter(err, try)
		if time.Now().Add(wait).After(end) {
			return v, err
		}
		if err := sleep(ctx, wait); err != nil {
			return v, b.contextError(o, err, throttled)
		}
	}
}

// inTurn makes one request, ends its turn, and learns from the
// result.
func inTurn[T any](t turn, request func() (T, error)) (v T, err error) {
	defer t.leave()
	v, err = request()
	t.learn(err)
	return v, err
}

// contextError makes the error of a request that was not made because
// the context had ended. It includes the throttling before, if there
// was any.
func (b bucket) contextError(o operation, err, throttled error) error {
	if throttled != nil {
		err = fmt.Errorf("%w, after: %w", err, throttled)
	}
	return &providers.Error{
		Op: o.op, Bucket: b.name, Key: o.key,
		Kind: providers.Unavailable, Err: err,
	}
}

// waitAfter returns how long to wait after a throttled try: the time
// that the cloud asks for, and a random time. The bound of that
// doubles with each try, so that requests that were throttled
// together do not come back together.
func waitAfter(err error, try int) time.Duration {
	wait := rand.N(min(firstWait<<(try-1), maxWait))
	if e := (*providers.Error)(nil); errors.As(err, &e) {
		wait += e.RetryAfter
	}
	return wait
}

// sleep waits. It returns the context's error if that ends before.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
