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
	if _, err := client.Status(ctx, w.ID); err != nil {
		return err // a wait outlasts an outage of Redis, but should not begin in one
	}
	return follow(ctx, client, w.ID, c, w.JSON)
}
