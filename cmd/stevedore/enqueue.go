package main

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/producer"
)

type enqueueCommand struct {
	payloadFlags
	ID string `help:"ID of the job; the same ID twice is the same job. By default a new one." placeholder:"ID"`
}

// Run enqueues a job.
func (e enqueueCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	j, err := e.job(c)
	if err != nil {
		return err
	}
	client := producer.New(cfg.redis)
	defer func() { _ = client.Close() }()
	var options []producer.Option
	if e.ID != "" {
		options = append(options, producer.WithID(e.ID))
	}
	id, err := client.Enqueue(ctx, j, options...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, id)
	return err
}
