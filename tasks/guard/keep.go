package guard

import (
	"context"
	"time"
)

// restartPause is the pause after a panic.
const restartPause = time.Second

// Keep runs a part of a process until it returns. If it panics, Keep
// calls panicked with a *PanicError, and begins again after a second,
// unless ctx has ended: the rest of the process depends on it.
func Keep(ctx context.Context, run func(context.Context), panicked func(error)) {
	for {
		err := Call(func() error { run(ctx); return nil })
		if err == nil {
			return
		}
		panicked(err)
		pause := time.NewTimer(restartPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}
