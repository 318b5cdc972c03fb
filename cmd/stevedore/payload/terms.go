package payload

import (
	"errors"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Terms are the flags that say how a job is run. What is not given is
// as the payload says.
type Terms struct {
	Delay    time.Duration `help:"Time for which the job waits on the queue before a worker may begin it." placeholder:"10m"`
	Deadline string        `help:"When the job must have ended: a time, 2026-11-23T08:00:00Z, or a duration from now, 2h30m." placeholder:"TIME"`
	Priority string        `help:"high, normal or low." placeholder:"PRIORITY"`
	Tenant   string        `help:"The customer whose job it is." placeholder:"NAME"`
}

// Options returns the options to enqueue with.
func (f Terms) Options(now time.Time) ([]producer.Option, error) {
	if f.Delay < 0 {
		return nil, cli.Invalid(fmt.Errorf("--delay %v: is in the past", f.Delay))
	}
	options := []producer.Option{producer.WithDelay(f.Delay)}
	if f.Deadline != "" {
		t, err := deadline(f.Deadline, now)
		if err != nil {
			return nil, cli.Invalid(fmt.Errorf("--deadline %s: %w", f.Deadline, err))
		}
		options = append(options, producer.WithDeadline(t))
	}
	if f.Priority != "" {
		options = append(options, producer.WithPriority(tasks.Priority(f.Priority)))
	}
	if f.Tenant != "" {
		options = append(options, producer.WithTenant(f.Tenant))
	}
	return options, nil
}

func deadline(text string, now time.Time) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d, err := time.ParseDuration(text)
		if err != nil {
			return t, errors.New("give a time as 2026-11-23T08:00:00Z, or a duration as 2h30m")
		}
		t = now.Add(d)
	}
	if !t.After(now) {
		return t, errors.New("is in the past")
	}
	return t, nil
}
