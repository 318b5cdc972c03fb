// Command emulators runs the cloud stores that the tests need, without
// Docker: an S3 server that enforces users and policies, an STS, a Google
// Cloud Storage, and a small control endpoint with which a test makes itself
// a bucket, a user, a role or a fault.
//
//	emulators --env-file /tmp/emulators.env &
//	. /tmp/emulators.env && go test ./providers/...
//
// It knows versitygw and fake-gcs-server, and nothing of Stevedore; it is a
// module of its own so that the product does not depend on it. It is for
// tests only: it listens on 127.0.0.1 and anybody on the machine may use the
// control endpoint.
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

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "emulators:", err)
		os.Exit(1)
	}
}

func run() error {
	envFile := flag.String("env-file", "", "where to write the export lines once everything is ready (required)")
	dir := flag.String("dir", "", "absolute directory for the data; empty means a temporary one, in memory if possible, removed at the end")
	stay := flag.Bool("stay", false, "keep running when the parent process ends")
	flag.Parse()
	if *envFile == "" || flag.NArg() != 0 {
		flag.Usage()
		return errors.New("give --env-file and nothing else")
	}
	path, err := filepath.Abs(*envFile) // the gateway changes the working directory
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !*stay {
		ctx = untilOrphaned(ctx, os.Getppid())
	}
	data, remove, err := dataDir(*dir)
	if err != nil {
		return err
	}
	defer remove()
	return serve(ctx, data, path)
}

// untilOrphaned ends when the process that started this one is gone.
func untilOrphaned(ctx context.Context, parent int) context.Context {
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
	return ctx
}

func dataDir(dir string) (path string, remove func(), err error) {
	if dir != "" {
		if !filepath.IsAbs(dir) {
			return "", nil, fmt.Errorf("--dir %s is not absolute", dir)
		}
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	for _, parent := range []string{"/dev/shm", os.TempDir()} { // memory first: the gateway makes many small files
		path, err = os.MkdirTemp(parent, "emulators-")
		if err != nil {
			continue
		}
		// The gateway keeps metadata in extended attributes, which not every
		// file system has.
		if err = unix.Setxattr(path, "user.stevedore", []byte("x"), 0); err == nil {
			return path, func() { _ = os.RemoveAll(path) }, nil
		}
		_ = os.Remove(path)
	}
	return "", nil, fmt.Errorf("no directory with extended attributes, give --dir: %w", err)
}

// serve runs everything until ctx ends or one part fails.
func serve(ctx context.Context, dir, envFile string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g, err := newGateway(ctx, dir)
	if err != nil {
		return err
	}
	done := g.start(ctx, cancel)
	defer func() { cancel(nil); done() }()
	if err := g.waitReady(ctx); err != nil {
		return err
	}
	c, err := startControl(ctx, g)
	if err != nil {
		return err
	}
	defer c.stop()
	if err := writeEnv(envFile, g, c); err != nil {
		return err
	}
	defer func() { _ = os.Remove(envFile) }()
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
