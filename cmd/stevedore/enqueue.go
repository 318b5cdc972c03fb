package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

type enqueueCommand struct {
	payloadFlags
	termsFlags
	ID string `help:"ID of the job; the same ID twice is the same job. By default a new one." placeholder:"ID"`
}

// Run enqueues a job.
func (e enqueueCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	secrets := keepReferences
	if !cfg.public.IsZero() {
		e.ID = cmp.Or(e.ID, producer.NewID())
		secrets = sealer{cfg.public, seal.Binding{Job: e.ID, Kind: e.Kind}, cfg.vars}.storage
	}
	j, err := e.job(c, secrets)
	if err != nil {
		return err
	}
	options, err := e.options(time.Now())
	if err != nil {
		return err
	}
	client := producer.New(cfg.redis, producer.WithPublicKey(cfg.public))
	defer func() { _ = client.Close() }()
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
