package main

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type cancelCommand struct {
	ID string `arg:"" help:"ID of the job."`
}

// Run cancels a job and prints the state that it is in then. A job that had
// ended otherwise is a failure.
func (k cancelCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	client := producer.New(cfg.redis)
	defer func() { _ = client.Close() }()
	state, err := client.Cancel(ctx, k.ID)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.out, state); err != nil {
		return err
	}
	if state != tasks.StateCancelled {
		return fmt.Errorf("job %s had ended before: it is %s", k.ID, state)
	}
	return nil
}
