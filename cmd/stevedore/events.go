package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"regexp"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/producer/events"
)

type eventsCommand struct {
	After    string `help:"Position of the last event that is known already, or a Unix time in milliseconds, or $ for new events only. By default everything that is kept; a group remembers, and only begins there." placeholder:"POSITION"`
	Job      string `help:"Only the events of this job." placeholder:"ID"`
	Follow   bool   `short:"f" help:"Go on with what happens from now on, until interrupted."`
	Group    string `help:"Read as a consumer of this group: each event goes to one of its consumers, and is acknowledged when it was printed." placeholder:"NAME"`
	Consumer string `help:"Name of the consumer; by default this host's." placeholder:"NAME"`
}

// Run prints events, a JSON line each.
func (e eventsCommand) Run(ctx context.Context, c console) error {
	if err := e.check(); err != nil {
		return invalid(err)
	}
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	client := producer.New(cfg.redis)
	defer func() { _ = client.Close() }()
	if e.Group != "" {
		return e.share(ctx, c, client)
	}
	// What is there already comes first, since only that tells when Redis is
	// away.
	at := e.After
	keep := func(read events.Event) error {
		at = read.Position
		return nil
	}
	if at != events.New || !e.Follow {
		if err := e.print(c, client.Events(ctx, at, events.SoFar()), keep); err != nil || !e.Follow {
			return err
		}
	}
	return e.print(c, client.Events(ctx, at), keep)
}

var validPosition = regexp.MustCompile(`^(\$|\d+(-\d+)?)?$`)

func (e eventsCommand) check() error {
	switch {
	case !validPosition.MatchString(e.After):
		return fmt.Errorf("--after %s: give the position of an event, a Unix time in milliseconds, or $", e.After)
	case e.Group != "" && e.Job != "":
		return errors.New("--job with --group: a group's events are acknowledged, so none may be left out")
	case e.Group == "" && e.Consumer != "":
		return errors.New("--consumer without --group")
	}
	return nil
}

// share prints a consumer's share of a group's events.
func (e eventsCommand) share(ctx context.Context, c console, client *producer.Client) error {
	consumer := e.Consumer
	if consumer == "" {
		var err error
		if consumer, err = os.Hostname(); err != nil {
			return fmt.Errorf("this host has no name; give --consumer: %w", err)
		}
	}
	group := client.Group(e.Group, consumer)
	if err := group.Create(ctx, e.After); err != nil {
		return err
	}
	// What was printed is acknowledged, also when the command is interrupted
	// just then.
	ack := func(read events.Event) error { return group.Ack(context.WithoutCancel(ctx), read) }
	if err := e.print(c, group.Events(ctx, events.SoFar()), ack); err != nil || !e.Follow {
		return err
	}
	return e.print(c, group.Events(ctx), ack)
}

// print prints events, and tells of each that it is done. What was dropped or
// cannot be read is said, and passed over.
func (e eventsCommand) print(c console, all iter.Seq2[events.Event, error], done func(events.Event) error) error {
	lines := json.NewEncoder(c.out)
	for event, err := range all {
		passable := errors.Is(err, events.ErrLost) || event.Position != ""
		switch {
		case err != nil && !passable:
			return err
		case err != nil:
			_, _ = fmt.Fprintf(c.err, "stevedore: %v\n", err)
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
