package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

var errInterrupted = cli.Exit(cli.ExitInterrupted, errors.New("interrupted"))

// interruptible returns a context that ends at the first Ctrl-C or
// SIGTERM. A second Ctrl-C ends the process at once. A SIGTERM after a
// Ctrl-C does not: supervisors send it to what they see stopping.
func interruptible() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	guard.Go(func() error {
		interrupts := 0
		for s := range signals {
			cancel(errInterrupted)
			if s == os.Interrupt {
				interrupts++
			}
			if interrupts == 2 {
				os.Exit(int(cli.ExitInterrupted))
			}
		}
		return nil
	})
	return ctx, func() { signal.Stop(signals) }
}
