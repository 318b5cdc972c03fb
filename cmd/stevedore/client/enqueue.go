// Package client holds the subcommands that only talk to the queue: a
// file a subcommand.
package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Enqueue is the enqueue command.
type Enqueue struct {
	payload.Flags
	payload.Terms
	ID   string `help:"ID of the job; the same ID twice is the same job. By default a new one." placeholder:"ID"`
	JSON bool   `help:"Print the job's status as JSON in place of its ID."`
}

// Run enqueues a job and prints its ID. With a public key it seals the
// secrets.
func (e Enqueue) Run(ctx context.Context, c cli.Console, schemes payload.Schemes) error {
	s, err := c.Settings()
	if err != nil {
		return err
	}
	j, err := e.Job(c, schemes, payload.Credentials{
		Secrets: payload.Secrets{
			Send: !s.PublicKey.IsZero(), // the queue seals them
			Vars: settings.Map(c.Environ),
		},
		MaxPayload: int(s.PayloadLimit),
	})
	if err != nil {
		return err
	}
	warn(c, s.PublicKey, j)
	options, err := e.Options(time.Now())
	if err != nil {
		return err
	}
	if e.ID != "" {
		options = append(options, producer.WithID(e.ID))
	}

	queue := producer.New(s.Redis,
		producer.WithPublicKey(s.PublicKey), producer.WithPayloadLimit(int(s.PayloadLimit)))
	defer func() { _ = queue.Close() }()
	id, err := queue.Enqueue(ctx, j, options...)
	var ended *producer.EndedError
	if err != nil && !errors.As(err, &ended) {
		return err
	}
	if err := e.print(ctx, c, queue, id); err != nil || ended == nil {
		return err
	}
	return cli.Exit(cli.ExitEnded, hadEnded(*ended))
}

// hadEnded says what to do about a job that had ended before it was
// enqueued again.
func hadEnded(e producer.EndedError) error {
	if e.State == tasks.StateSucceeded {
		return fmt.Errorf("job %s had ended before: it succeeded. Nothing was enqueued. "+
			"To run it again, choose another ID", e.ID)
	}
	return fmt.Errorf("job %s had ended before: it is %s. Nothing was enqueued. "+
		"To run it again: stevedore retry %s", e.ID, e.State, e.ID)
}

func (e Enqueue) print(
	ctx context.Context, c cli.Console, queue *producer.Client, id string,
) error {
	if !e.JSON {
		_, err := fmt.Fprintln(c.Out, id)
		return err
	}
	s, err := queue.Status(ctx, id)
	if err != nil {
		return fmt.Errorf("job %s is enqueued, but: %w", id, err)
	}
	return show.JSON(c.Out, s)
}

// warn says which secrets of a job are not sent. A worker would look
// for their variables in its own environment.
func warn(c cli.Console, key seal.PublicKey, j tasks.Job) {
	names := payload.Named(j)
	isAllowed := func(name string) bool { return strings.HasPrefix(name, "STEVEDORE_SECRET_") }
	names = slices.DeleteFunc(names, isAllowed)
	if len(names) == 0 || !key.IsZero() {
		return
	}
	_, _ = fmt.Fprintf(c.Err, "stevedore: warning: the values of %s are not sent: "+
		"each worker reads the variables from its own environment. "+
		"To send the values sealed, export %s.\n",
		strings.Join(names, " and "), settings.Name(setting.PublicKey))
}
