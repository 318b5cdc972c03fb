package main

import (
	"context"

	"github.com/stevedore-jobs/stevedore/producer"
)

type retryCommand struct {
	ID   string `arg:"" help:"ID of the job."`
	Wait bool   `help:"Follow the job to its new end."`
	JSON bool   `help:"With --wait, print the result as JSON."`
}

// Run begins a job again for the objects on its error list.
func (r retryCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	client := producer.New(cfg.redis)
	defer func() { _ = client.Close() }()
	if err := client.Retry(ctx, r.ID); err != nil || !r.Wait {
		return err
	}
	return follow(ctx, client, r.ID, c, r.JSON)
}
