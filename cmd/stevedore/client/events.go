package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"regexp"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/producer/events"
)

// Events is the events command.
type Events struct {
	After    string `help:"Position of the last event that is known already, or a Unix time in milliseconds, or $ for new events only. By default all events that Redis still has. A group only begins there, and then remembers its position." placeholder:"POSITION"`
	Job      string `help:"Only the events of this job." placeholder:"ID"`
	Follow   bool   `short:"f" help:"Go on with new events, until interrupted."`
	Group    string `help:"Read as a consumer of this group: each event goes to one of its consumers, and is acknowledged when it was printed." placeholder:"NAME"`
	Consumer string `help:"Name of the consumer; by default this host's." placeholder:"NAME"`
}

// Run prints events, a JSON line each.
func (e Events) Run(ctx context.Context, c cli.Console) error {
	if err := e.check(); err != nil {
		return cli.Invalid(err)
	}
	queue, err := c.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	if e.Group != "" {
		return e.readGroup(ctx, c, queue)
	}

	// Read the existing events first: waiting for new ones does not
	// fail while Redis is away.
	at := e.After
	remember := func(read events.Event) error {
		at = read.Position
		return nil
	}
	if at != events.New || !e.Follow {
		err := e.print(c, queue.Events(ctx, at, events.SoFar()), remember)
		if err != nil || !e.Follow {
			return err
		}
	}
	return e.print(c, queue.Events(ctx, at), remember)
}

var validPosition = regexp.MustCompile(`^(\$|\d+(-\d+)?)?$`)

func (e Events) check() error {
	switch {
	case !validPosition.MatchString(e.After):
		return fmt.Errorf("--after %s: give the position of an event, "+
			"a Unix time in milliseconds, or $", e.After)
	case e.Group != "" && e.Job != "":
		return errors.New("--job with --group: " +
			"a consumer acknowledges all events of its group, so it must print all")
	case e.Group == "" && e.Consumer != "":
		return errors.New("--consumer without --group")
	}
	return nil
}

// readGroup prints the events that one consumer of a group gets.
func (e Events) readGroup(ctx context.Context, c cli.Console, queue *producer.Client) error {
	consumer := e.Consumer
	if consumer == "" {
		var err error
		if consumer, err = os.Hostname(); err != nil {
			return fmt.Errorf("this host has no name; give --consumer: %w", err)
		}
	}
	group := queue.Group(e.Group, consumer)
	if err := group.Create(ctx, e.After); err != nil {
		return err
	}
	// An event that was printed is acknowledged even when the command
	// is interrupted at that moment.
	ack := func(read events.Event) error { return group.Ack(context.WithoutCancel(ctx), read) }
	if err := e.print(c, group.Events(ctx, events.SoFar()), ack); err != nil || !e.Follow {
		return err
	}
	return e.print(c, group.Events(ctx), ack)
}

// eventStream is what producer.Client and events.Group return.
type eventStream = iter.Seq2[events.Event, error]

// print prints events and calls done after each. An event that was
// dropped or cannot be read gives a message, and the next one follows.
func (e Events) print(c cli.Console, all eventStream, done func(events.Event) error) error {
	lines := json.NewEncoder(c.Out)
	for event, err := range all {
		passable := errors.Is(err, events.ErrLost) || event.Position != ""
		switch {
		case err != nil && !passable:
			return err
		case err != nil:
			_, _ = fmt.Fprintf(c.Err, "stevedore: %v\n", err)
		case e.Job == "" || e.Job == event.Job:
			if err := lines.Encode(event); err != nil {
				return err
			}
		}
		if event.Position == "" {
			continue
		}
		if err := done(event); err != nil {
			return err
		}
	}
	return nil
}
