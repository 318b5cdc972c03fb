// Command stevedore runs jobs for labelling tools on the buckets that
// hold their images: the worker, and a client for people. This package
// only wires: a file a subcommand, a file a cloud. The subcommands that
// only talk to the queue are in package client.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/client"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

type commands struct {
	Worker  workerCommand  `cmd:"" help:"Take jobs off the queue and run them, until SIGTERM."`
	Enqueue client.Enqueue `cmd:"" help:"Put a job on the queue and print its ID."`
	Status  client.Status  `cmd:"" help:"Show how a job is doing."`
	Wait    client.Wait    `cmd:"" help:"Show a job's progress until it ends."`
	Cancel  client.Cancel  `cmd:"" help:"End a job, wherever it runs."`
	Retry   client.Retry   `cmd:"" help:"Run a job again: for the objects on its error list, or as a whole if it failed or was cancelled."`
	Events  client.Events  `cmd:"" help:"Print what happens to jobs, a JSON line an event."`
	Run     runCommand     `cmd:"" help:"Run a job here and now, without Redis."`
	Keygen  keygenCommand  `cmd:"" help:"Make a pair of keys: producers seal secrets with the public one, workers open them with the private one."`
	Policy  policyCommand  `cmd:"" help:"Print the least rights that a bucket's owner has to grant, as documents and commands to paste."`
	Demo    demoCommand    `cmd:"" help:"Run all four jobs on images that the demo draws."`
	Help    helpCommand    `cmd:"" help:"Show the help of a command, as --help does."`
}

func main() {
	ctx, stop := interruptible()
	console := cli.Console{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ()}
	code := run(ctx, os.Args[1:], console)
	stop()
	os.Exit(int(code))
}

func run(ctx context.Context, args []string, c cli.Console) cli.ExitCode {
	var parsed commands
	schemes := schemes()
	parser, err := kong.New(&parsed,
		kong.Name("stevedore"),
		kong.Writers(c.Out, c.Err),
		kong.Description(description()),
		kong.Vars{"kinds": strings.Join(tasks.Kinds().Names(), ", "), "buckets": schemes.Forms()},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c, schemes))
	if err != nil {
		return report(c.Err, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return report(c.Err, cli.Invalid(fmt.Errorf("%w (see stevedore --help)", err)))
	}
	return report(c.Err, command.Run())
}

// report prints why a command failed, and returns the exit code.
func report(w io.Writer, err error) cli.ExitCode {
	var payload *tasks.InvalidError
	var exit *cli.ExitError
	text := ""
	switch {
	case err == nil, errors.As(err, &exit) && exit.Err == nil:
	case errors.As(err, &payload):
		kind := strings.TrimPrefix(payload.JobKind+" ", " ")
		text = fmt.Sprintf("stevedore: the %spayload is not valid; nothing was done:\n", kind)
		for _, f := range payload.Fields {
			text += fmt.Sprintf("  %s\n", f)
		}
	default:
		text = fmt.Sprintf("stevedore: %s\n", setting.Name(err.Error(), settings.Name))
	}
	_, _ = io.WriteString(w, show.Wrapped(w, text))
	return cli.Code(err)
}
