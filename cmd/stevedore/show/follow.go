// Package show prints how jobs are doing, for people and for programs:
// progress, status, error list, and the checks of a verification.
package show

import (
	"context"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Ending is what the commands that wait for the end of a job have in
// common: what they print of it, and when they fail.
type Ending struct {
	JSON         bool      `help:"Print the job's status as JSON, however the job ends."`
	Errors       ErrorFile `help:"Write the whole error list to FILE, a JSON line an object. Without FILE, or with -, to standard output." placeholder:"FILE"`
	FailOnErrors bool      `help:"End with exit code 4 if objects were left out."`
}

// Check must be called before the job begins. Its error is a mistake of
// the caller.
func (e Ending) Check() error {
	if e.JSON && e.Errors == standardOutput {
		return cli.Invalid(errors.New(
			"--json and --errors both write to standard output: give --errors a file"))
	}
	return e.Errors.Check()
}

// Job is a job to follow.
type Job struct {
	ID   string
	Kind string // if known
	Here bool   // this process runs the job, and the job ends with it
}

// Follow shows the progress of a job until it ends, and then its status
// and its error list. Its error has the exit code for a job that has
// not ended well.
func (e Ending) Follow(
	ctx context.Context, c cli.Console, queue *producer.Client, j Job,
) error {
	p := NewProgress(c.Err)
	defer p.End()
	s, err := queue.Wait(ctx, j.ID, p.Show)
	p.End()
	if ctx.Err() != nil {
		_, _ = fmt.Fprintf(c.Err, "stevedore: interrupted: %s\n", j.afterInterrupt())
		return cli.Exit(cli.ExitInterrupted, nil)
	}
	if err != nil {
		return err
	}
	if err := e.print(ctx, c, queue, j, s); err != nil {
		return err
	}
	return e.verdict(s)
}

// print prints a job that has ended.
func (e Ending) print(
	ctx context.Context, c cli.Console, queue *producer.Client, j Job, s tasks.Status,
) error {
	switch {
	case e.JSON:
		if err := JSON(c.Out, s); err != nil {
			return err
		}
	case e.Errors == standardOutput:
		Status(c.Err, s)
	default:
		Status(c.Out, s)
	}
	if e.Errors != "" {
		return e.Errors.Write(ctx, c, queue, s)
	}
	return previewErrors(ctx, c.Err, queue, s, j.allErrors())
}

// allErrors says how to get the whole error list.
func (j Job) allErrors() string {
	if j.Here {
		return "run the command again with --errors FILE"
	}
	return "stevedore status " + j.ID + " --errors"
}

// afterInterrupt says what becomes of a job when its command is
// interrupted.
func (j Job) afterInterrupt() string {
	switch {
	case !j.Here:
		return "the job goes on; wait again with:\n  stevedore wait " + j.ID
	case j.Kind == tasks.GenerateThumbnails{}.Kind():
		return "run it again, it goes on where it was"
	}
	return "run it again, it begins anew"
}

// verdict returns nil for a job that has ended well, and else an error
// with the exit code. A verification ends well when it found no fault.
// A result of a built-in kind that cannot be read counts as failed: it
// may be such a verification.
func (e Ending) verdict(s tasks.Status) error {
	r, err := producer.Result(s)
	_, foreign := tasks.Lookup(s.Kind)
	v, isVerify := r.(tasks.VerifyConnectionResult)
	switch {
	case s.State != tasks.StateSucceeded, err != nil && foreign == nil:
		return cli.Exit(cli.ExitFailed, nil)
	case isVerify && !v.OK:
		return cli.Exit(cli.ExitFaults,
			fmt.Errorf("found %s", plural(int64(v.Faults()), "fault")))
	case e.FailOnErrors && s.Progress.LeftOut() > 0:
		return cli.Exit(cli.ExitLeftOut,
			fmt.Errorf("%s left out", plural(s.Progress.LeftOut(), "object")))
	}
	return nil
}
