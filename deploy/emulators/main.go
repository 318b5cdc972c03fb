// Command emulators runs the clouds that the tests need, without
// Docker: an S3 server that enforces users and policies, an STS, and
// a Google Cloud Storage. With a small control endpoint a test makes
// buckets, users, roles and faults, and gives a bucket or an Azure
// account another order of keys.
//
//	emulators --env-file /tmp/emulators.env &
//	. /tmp/emulators.env && go test ./providers/...
//
// It uses versitygw and fake-gcs-server, and knows nothing of
// Stevedore. It is a module of its own, so that the product does not
// depend on them. It is for tests only: it listens on 127.0.0.1, and
// everybody on the machine may use the control endpoint.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "emulators:", err)
		os.Exit(1)
	}
}

func run() error {
	envFile := flag.String("env-file", "",
		"file for the export lines; it appears once all emulators answer (required)")
	dir := flag.String("dir", "",
		"absolute directory for the data; by default a temporary one, in memory if possible")
	stay := flag.Bool("stay", false, "keep running when the parent process ends")
	flag.Parse()
	if *envFile == "" || flag.NArg() != 0 {
		flag.Usage()
		return errors.New("--env-file is required, and there are no arguments")
	}
	path, err := filepath.Abs(*envFile) // the gateway changes the working directory
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !*stay {
		var cancel context.CancelFunc
		ctx, cancel = withParent(ctx, os.Getppid())
		defer cancel()
	}
	data, remove, err := dataDir(*dir)
	if err != nil {
		return err
	}
	defer remove()
	return serve(ctx, data, path)
}

// withParent returns a context that ends when the parent process
// ends.
func withParent(ctx context.Context, parent int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for os.Getppid() == parent {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return ctx, cancel
}

// serve runs all emulators until ctx ends or one of them fails. The
// file with the export lines exists while all of them answer.
func serve(ctx context.Context, dir, envFile string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g, err := gateway.New(ctx, dir)
	if err != nil {
		return err
	}
	wait := g.Start(ctx, cancel)
	defer func() { cancel(nil); wait() }()
	if err := g.WaitReady(ctx); err != nil {
		return err
	}

	e, err := startEmulators(ctx, g)
	if err != nil {
		return err
	}
	if err := e.writeEnv(envFile); err != nil {
		return err
	}
	defer func() { _ = os.Remove(envFile) }()

	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
