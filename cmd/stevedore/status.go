package main

import (
	"context"
	"encoding/json"

	"github.com/stevedore-jobs/stevedore/producer"
)

type statusCommand struct {
	ID     string `arg:"" help:"ID of the job."`
	JSON   bool   `help:"Print the status as JSON."`
	Errors bool   `help:"Print the job's error list instead, a JSON line an object."`
}

// Run shows a job's status.
func (s statusCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	client := producer.New(cfg.redis)
	defer func() { _ = client.Close() }()
	status, err := client.Status(ctx, s.ID)
	if err != nil {
		return err
	}
	if !s.Errors {
		return showStatus(c.out, status, s.JSON)
	}
	lines := json.NewEncoder(c.out)
	for e, err := range client.Errors(ctx, s.ID) {
		if err != nil {
			return err
		}
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	return nil
}
