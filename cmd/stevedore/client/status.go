package client

import (
	"context"
	"encoding/json"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
	"github.com/stevedore-jobs/stevedore/producer"
)

// Status is the status command.
type Status struct {
	ID     string `arg:"" help:"ID of the job."`
	JSON   bool   `help:"Print the status as JSON."`
	Errors bool   `help:"Print the job's error list instead, a JSON line an object."`
}

// Run prints the status of a job, or its error list.
func (s Status) Run(ctx context.Context, c cli.Console) error {
	queue, err := c.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	status, err := queue.Status(ctx, s.ID)
	if err != nil {
		return err
	}
	if s.Errors {
		return s.printErrors(ctx, c, queue)
	}
	return show.Status(c.Out, status, s.JSON)
}

func (s Status) printErrors(ctx context.Context, c cli.Console, queue *producer.Client) error {
	lines := json.NewEncoder(c.Out)
	for e, err := range queue.Errors(ctx, s.ID) {
		if err != nil {
			return err
		}
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	return nil
}
