package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
)

type demoCommand struct {
	Dir string `help:"Directory for the images and all results, new or empty; by default a new temporary one." placeholder:"DIR"`
}

// Run draws a data set and runs the demo on it.
func (d demoCommand) Run(ctx context.Context, c cli.Console) error {
	dir, err := d.directory()
	if err != nil {
		return err
	}
	if err := dataset.Write(dir); err != nil {
		return err
	}
	s, err := c.Settings()
	if err != nil {
		return err
	}
	here, err := startLocal(ctx, s, "", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer here.stop()
	return demo.Run(ctx, c, here.client, dir)
}

func (d demoCommand) directory() (string, error) {
	if d.Dir == "" {
		return os.MkdirTemp("", "stevedore-demo-")
	}
	if entries, err := os.ReadDir(d.Dir); err == nil && len(entries) > 0 {
		return "", cli.Invalid(fmt.Errorf("--dir %s: is not empty", d.Dir))
	}
	return filepath.Abs(d.Dir)
}

// Help is shown by demo --help.
func (demoCommand) Help() string {
	return `
Examples:

    stevedore demo --dir /tmp/demo`
}
