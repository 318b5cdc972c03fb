// Command stevedore runs jobs for labelling tools on the buckets that hold
// their images: the worker, and a client for people. This package only wires:
// a file a subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
)

type commands struct {
	Worker  workerCommand  `cmd:"" help:"Take jobs off the queue and run them, until SIGTERM."`
	Enqueue enqueueCommand `cmd:"" help:"Put a job on the queue and print its ID."`
	Status  statusCommand  `cmd:"" help:"Show how a job is doing."`
	Wait    waitCommand    `cmd:"" help:"Follow a job to its end."`
	Cancel  cancelCommand  `cmd:"" help:"End a job, whoever runs it."`
	Retry   retryCommand   `cmd:"" help:"Run a job again for the objects on its error list alone."`
	Events  eventsCommand  `cmd:"" help:"Print what happens to jobs, a JSON line an event."`
	Run     runCommand     `cmd:"" help:"Run a job here and now, without Redis."`
	Keygen  keygenCommand  `cmd:"" help:"Make a pair of keys: producers seal secrets with the public one, workers open them with the private one."`
	Policy  policyCommand  `cmd:"" help:"Print the least rights that a bucket's owner has to grant, as documents and commands to paste."`
	Demo    demoCommand    `cmd:"" help:"See all four jobs at work on images drawn for the purpose."`
}

// console is where a command reads and writes, and what it reads its settings
// from.
type console struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ []string
}

// The exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // the job failed, the connection is not right, Redis is away
	exitInvalid = 2 // the command line, the payload or the environment is wrong; nothing was done
)

func main() {
	redis.SetLogger(quiet{})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], console{os.Stdin, os.Stdout, os.Stderr, os.Environ()})
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, c console) int {
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("stevedore"), kong.Writers(c.out, c.err),
		kong.Description("Jobs for labelling tools, run on the bucket that holds the images. Settings come from the environment: see the README."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(c))
	if err != nil {
		return report(c.err, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return report(c.err, invalid(fmt.Errorf("%w (stevedore --help tells more)", err)))
	}
	return report(c.err, command.Run())
}

// quiet drops what the Redis client would write to standard error on its own:
// every failed call returns its error.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// invalidError is a mistake of the caller's.
type invalidError struct{ error }

func (e invalidError) Unwrap() error { return e.error }

func invalid(err error) error { return invalidError{err} }

// errShown ends a command with exitFailed when everything there is to say has
// been said.
var errShown = errors.New("failed")

func report(w io.Writer, err error) int {
	var faults *tasks.InvalidError
	var mistake invalidError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errShown):
		return exitFailed
	case errors.As(err, &faults):
		_, _ = fmt.Fprintf(w, "stevedore: the %s payload is not valid; nothing was enqueued:\n", faults.JobKind)
		for _, f := range faults.Fields {
			_, _ = fmt.Fprintf(w, "  %s\n", f)
		}
		return exitInvalid
	}
	_, _ = fmt.Fprintf(w, "stevedore: %v\n", err)
	if errors.As(err, &mistake) {
		return exitInvalid
	}
	return exitFailed
}
