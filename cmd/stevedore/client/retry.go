package client

import (
	"context"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
)

// Retry is the retry command.
type Retry struct {
	ID   string `arg:"" help:"ID of the job."`
	Wait bool   `help:"Show the job's progress until it ends again."`
	JSON bool   `help:"With --wait, print the result as JSON."`
}

// Run begins a job again that has ended.
func (r Retry) Run(ctx context.Context, c cli.Console) error {
	queue, err := c.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	if err := queue.Retry(ctx, r.ID); err != nil || !r.Wait {
		return err
	}
	return show.Follow(ctx, c, queue, r.ID, r.JSON)
}
