package client

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
)

// Retry is the retry command.
type Retry struct {
	ID   string `arg:"" help:"ID of the job."`
	Wait bool   `help:"Show the job's progress until it ends again."`
	show.Ending
}

// Run begins a job again that has ended.
func (r Retry) Run(ctx context.Context, c cli.Console) error {
	if err := r.check(); err != nil {
		return err
	}
	queue, err := c.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	if err := queue.Retry(ctx, r.ID); err != nil {
		return err
	}
	if r.Wait {
		return r.Follow(ctx, c, queue, show.Job{ID: r.ID})
	}
	if !r.JSON {
		return nil
	}
	s, err := queue.Status(ctx, r.ID)
	if err != nil {
		return err
	}
	return show.JSON(c.Out, s)
}

func (r Retry) check() error {
	if !r.Wait && (r.Errors != "" || r.FailOnErrors) {
		return cli.Invalid(errors.New("--errors and --fail-on-errors need --wait"))
	}
	return r.Ending.Check()
}
