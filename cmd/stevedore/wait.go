package main

import (
	"context"

	"github.com/stevedore-jobs/stevedore/producer"
)

type waitCommand struct {
	ID   string `arg:"" help:"ID of the job."`
	JSON bool   `help:"Print the result as JSON."`
}

// Run follows a job to its end.
func (w waitCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	client := producer.New(cfg.redis)
	defer func() { _ = client.Close() }()
	return follow(ctx, client, w.ID, c, w.JSON)
}
