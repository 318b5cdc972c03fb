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
	JSON    bool `help:"Print the result as JSON."`
	Verbose bool `short:"v" help:"Log what the worker does."`
}

// Run runs a job in this process.
func (r runCommand) Run(ctx context.Context, c cli.Console, schemes payload.Schemes) error {
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
	return show.Follow(ctx, c, here.client, id, r.JSON)
}
