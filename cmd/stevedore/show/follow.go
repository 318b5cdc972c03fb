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
// and the beginning of its error list. It fails with cli.ErrShown when
// the job has not ended well.
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
	if !endedWell(s) {
		return cli.ErrShown
	}
	return nil
}

// endedWell is false for a job that has not succeeded, for a
// verification that found a fault, and for a built-in kind whose result
// cannot be read: that may be such a verification.
func endedWell(s tasks.Status) bool {
	r, err := producer.Result(s)
	if _, foreign := tasks.Lookup(s.Kind); foreign != nil {
		return s.State == tasks.StateSucceeded
	}
	v, isVerify := r.(tasks.VerifyConnectionResult)
	return err == nil && (!isVerify || v.OK)
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
