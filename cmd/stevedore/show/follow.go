// Package show prints for people how jobs are doing: progress, status,
// the checks of a verification.
package show

import (
	"context"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Follow shows the progress of a job until it ends, and then its result
// and the beginning of its error list. It fails when the job
// has not ended well.
func Follow(
	ctx context.Context, c cli.Console, queue *producer.Client, id string, asJSON bool,
) error {
	p := NewProgress(c.Err)
	s, err := queue.Wait(ctx, id, p.Show)
	p.End()
	if err != nil {
		return err
	}
	if s.State == tasks.StateSucceeded && asJSON {
		_, err = fmt.Fprintln(c.Out, string(s.Result))
	} else {
		err = Status(c.Out, s, asJSON)
	}
	if err != nil {
		return err
	}
	if err := showErrors(ctx, queue, s, c.Err); err != nil {
		return err
	}
	return verdict(s)
}

// verdict returns nil for a job that has ended well, and else an error
// with the exit code. A verification ends well when it found no fault.
// A result of a built-in kind that cannot be read counts as failed: it
// may be such a verification.
func verdict(s tasks.Status) error {
	r, err := producer.Result(s)
	_, foreign := tasks.Lookup(s.Kind)
	v, isVerify := r.(tasks.VerifyConnectionResult)
	switch {
	case s.State != tasks.StateSucceeded, err != nil && foreign == nil:
		return cli.Exit(cli.ExitFailed, nil)
	case isVerify && !v.OK:
		return cli.Exit(cli.ExitFaults, nil)
	}
	return nil
}

// maxErrors is how many lines of the error list Follow shows.
const maxErrors = 20

func showErrors(ctx context.Context, queue *producer.Client, s tasks.Status, w io.Writer) error {
	if s.Progress.Failed == 0 {
		return nil
	}
	shown := int64(0)
	for e, err := range queue.Errors(ctx, s.ID) {
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(w, "  %s: %s: %s\n", e.Key, e.Code, e.Message)
		if shown++; shown == maxErrors {
			break
		}
	}
	if more := s.Progress.Failed - shown; more > 0 {
		_, _ = fmt.Fprintf(w, "  and %d more\n", more)
	}
	return nil
}
