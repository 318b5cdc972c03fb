package client

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Cancel is the cancel command.
type Cancel struct {
	ID string `arg:"" help:"ID of the job."`
}

// Run cancels a job and prints its state. It fails when the job had
// ended in another way before.
func (k Cancel) Run(ctx context.Context, c cli.Console) error {
	queue, err := c.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	state, err := queue.Cancel(ctx, k.ID)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.Out, state); err != nil {
		return err
	}
	if state != tasks.StateCancelled {
		return cli.Exit(cli.ExitEnded,
			fmt.Errorf("job %s had ended before: it is %s", k.ID, state))
	}
	return nil
}
