package main

import (
	"context"
	"log/slog"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
)

type runCommand struct {
	payload.Flags
	show.Ending
	Verbose bool `short:"v" help:"Log what the worker does."`
}

// Run runs a job in this process.
func (r runCommand) Run(ctx context.Context, c cli.Console, schemes payload.Schemes) error {
	if err := r.Check(); err != nil {
		return err
	}
	s, err := c.Settings()
	if err != nil {
		return err
	}
	j, err := r.Job(c, schemes, payload.KeepReferences)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if r.Verbose {
		log = slog.New(slog.NewTextHandler(c.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	here, err := startLocal(ctx, s, log)
	if err != nil {
		return err
	}
	defer here.stop()
	id, err := here.client.Enqueue(ctx, j)
	if err != nil {
		return err
	}
	return r.Follow(ctx, c, here.client, show.Job{ID: id, Kind: j.Kind(), Here: true})
}
