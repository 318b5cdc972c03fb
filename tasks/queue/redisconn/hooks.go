package redisconn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// passHook is a hook that changes nothing. Hooks embed it.
type passHook struct{}

func (passHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (passHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (passHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// markOutage adds ErrUnavailable to the errors of an outage where
// they arise.
type markOutage struct{ passHook }

func (markOutage) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err != nil && isOutage(err) && !errors.Is(err, ErrUnavailable) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
}

// limitTime ends a call after patience.
type limitTime struct{ passHook }

func (limitTime) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return next(ctx, cmd)
	}
}

func (limitTime) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return next(ctx, cmds)
	}
}

// ignoreCancel lets a script of asynq run until the deadline of its
// context, which is that of the task's lease, even if asynq has
// cancelled the context. Only scripts acknowledge tasks, so other
// commands stay as they are.
type ignoreCancel struct{ passHook }

func (ignoreCancel) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		deadline, ok := ctx.Deadline()
		script := cmd.Name() == "evalsha" || cmd.Name() == "eval"
		cancelled := errors.Is(ctx.Err(), context.Canceled)
		if !ok || !script || !cancelled || time.Until(deadline) <= 0 {
			return next(ctx, cmd)
		}

		fresh, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
		defer cancel()
		return next(fresh, cmd)
	}
}

// hurry gives calls of asynq little time once its server is to stop.
// Acknowledgements keep theirs: of all calls of a server only they have
// a deadline.
type hurry struct {
	passHook
	onEnd func(f func()) (stop func() bool) // calls f when the server is to stop
}

// hurryTime is how long such a call is repeated then. A call that Redis
// already has is not cut off: its answer may bring a task.
const hurryTime = 250 * time.Millisecond

func (h hurry) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if _, ok := ctx.Deadline(); ok {
			return next(ctx, cmd)
		}
		short, cancel := context.WithCancel(ctx)
		defer cancel()
		stop := h.onEnd(func() {
			timer := time.NewTimer(hurryTime)
			defer timer.Stop()
			select {
			case <-short.Done():
			case <-timer.C:
				cancel()
			}
		})
		defer stop()
		err := next(short, cmd)
		if errors.Is(err, context.Canceled) && ctx.Err() == nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
}
