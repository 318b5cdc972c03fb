package client

import (
	"context"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
)

// Status is the status command.
type Status struct {
	ID     string         `arg:"" help:"ID of the job."`
	JSON   bool           `help:"Print the status as JSON."`
	Errors show.ErrorFile `help:"Write the whole error list to FILE, a JSON line an object. Without FILE, or with -, print the list instead of the status." placeholder:"FILE"`
}

// Run prints the status of a job, or its error list, or both if the
// list goes to a file.
func (s Status) Run(ctx context.Context, c cli.Console) error {
	ending := show.Ending{JSON: s.JSON, Errors: s.Errors}
	if err := ending.Check(); err != nil {
		return err
	}
	queue, err := c.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	status, err := queue.Status(ctx, s.ID)
	if err != nil {
		return err
	}
	switch {
	case s.JSON:
		err = show.JSON(c.Out, status)
	case !s.Errors.ToStandardOutput():
		show.Status(c.Out, status)
	}
	if err != nil || s.Errors == "" {
		return err
	}
	return s.Errors.Write(ctx, c, queue, status)
}
