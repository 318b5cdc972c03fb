package guard

import (
	"context"
	"sync"
)

// Go calls do in a goroutine of its own. The channel gets one error when
// do has ended: what do returned, nil too, or its panic as a
// *PanicError. The channel is then closed. Nobody has to receive.
func Go(do func() error) <-chan error {
	result := make(chan error, 1)
	start(do, func(err error) {
		result <- err
		close(result)
	})
	return result
}

// start calls do in a goroutine of its own, and then ended.
func start(do func() error, ended func(error)) {
	go func() {
		err := errExit // if do calls runtime.Goexit
		defer func() { ended(err) }()
		err = Call(do)
	}()
}

// Group runs functions in goroutines, and waits for all of them. The
// zero Group has no limit and no context. It is safe for concurrent use.
type Group struct {
	running sync.WaitGroup
	slots   chan struct{} // nil for no limit
	cancel  context.CancelCauseFunc

	failed sync.Once
	err    error // the first; set once, read after running.Wait
}

// WithContext returns a Group, and a context that ends at the first
// error of one of its functions, with this error as its cause. It also
// ends when Wait returns.
func WithContext(ctx context.Context) (*Group, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Group{cancel: cancel}, ctx
}

// SetLimit sets how many functions run at once, at least one. It must
// be called before Go.
func (g *Group) SetLimit(n int) { g.slots = make(chan struct{}, max(n, 1)) }

// Go calls do in a goroutine of its own. It first waits until the limit
// allows that.
func (g *Group) Go(do func() error) {
	if g.slots != nil {
		g.slots <- struct{}{}
	}
	g.running.Add(1)
	start(do, func(err error) {
		defer g.running.Done()
		if g.slots != nil {
			<-g.slots
		}
		if err != nil {
			g.fail(err)
		}
	})
}

func (g *Group) fail(err error) {
	g.failed.Do(func() {
		g.err = err
		if g.cancel != nil {
			g.cancel(err)
		}
	})
}

// Wait waits until all functions have ended. It returns the first error
// or panic.
func (g *Group) Wait() error {
	g.running.Wait()
	if g.cancel != nil {
		g.cancel(g.err)
	}
	return g.err
}
