package main

import (
	"context"
	"log/slog"
)

type runCommand struct {
	payloadFlags
	JSON    bool `help:"Print the result as JSON."`
	Verbose bool `short:"v" help:"Log what the worker does."`
}

// Run runs a job in this process.
func (r runCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	j, err := r.job(c, keepReferences)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if r.Verbose {
		log = slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	here, err := cfg.startLocal(ctx, log)
	if err != nil {
		return err
	}
	defer here.stop()
	id, err := here.client.Enqueue(ctx, j)
	if err != nil {
		return err
	}
	return follow(ctx, here.client, id, c, r.JSON)
}
