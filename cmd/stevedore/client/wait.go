package client

import (
	"context"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
)

// Wait is the wait command.
type Wait struct {
	ID string `arg:"" help:"ID of the job."`
	show.Ending
}

// Run shows the progress of a job until it ends.
func (w Wait) Run(ctx context.Context, c cli.Console) error {
	if err := w.Check(); err != nil {
		return err
	}
	queue, err := c.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	return w.Follow(ctx, c, queue, show.Job{ID: w.ID})
}
