// Package cli holds what all subcommands share: where they read and
// write, and how they fail.
package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Console is where a command reads and writes, and the environment that
// it reads its settings from.
type Console struct {
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
	Environ []string
}

// Settings reads the settings of a command that is no worker. It writes
// their warnings to Err.
func (c Console) Settings() (settings.Settings, error) {
	s, err := settings.Load(c.Environ)
	for _, w := range s.Warnings {
		_, _ = fmt.Fprintf(c.Err, "stevedore: warning: %s\n", w)
	}
	return s, err
}

// Connect makes a client of the queue that the settings name. While the
// client waits for Redis, it says so on Err.
func (c Console) Connect() (*producer.Client, error) {
	s, err := c.Settings()
	if err != nil {
		return nil, err
	}
	gone := func(err error) {
		_, _ = fmt.Fprintf(c.Err, "stevedore: waiting for Redis: %s\n",
			setting.Name(err.Error(), settings.Name))
	}
	back := func(away time.Duration) {
		_, _ = fmt.Fprintf(c.Err, "stevedore: Redis is back after %v\n",
			away.Round(100*time.Millisecond))
	}
	return producer.New(s.Redis, producer.WithOutage(gone, back)), nil
}
