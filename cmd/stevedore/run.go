package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/show"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type runCommand struct {
	payload.Flags
	Profile  string `help:"Profile in the files of the AWS tools, in place of AWS_PROFILE." placeholder:"NAME"`
	Parallel int    `help:"Requests at once in each shard; STEVEDORE_PARALLEL by default." placeholder:"N"`
	show.Ending
	Verbose bool `short:"v" help:"Log what the worker does."`
}

// Help is shown by run --help.
func (runCommand) Help() string {
	return `
Credentials that the environment does not hold are those of the person who runs
the command, as in the clouds' own tools: AWS_PROFILE, aws sso login,
gcloud auth application-default login, az login.

Examples:

    stevedore run verify-connection --source s3://my-bucket/ -s need.read=true
    stevedore run build-manifest --source s3://my-bucket/ --exclude drafts/
    stevedore run generate-thumbnails --source gs://my-bucket/ \
        --to file:///tmp/thumbnails --set size=512
    stevedore run build-manifest --source s3://public-images/ --anonymous \
        --to file:///tmp/manifest
    stevedore run export-annotations payload.json`
}

// Run runs a job in this process.
func (r runCommand) Run(ctx context.Context, c cli.Console, schemes payload.Schemes) error {
	if err := r.Check(); err != nil {
		return err
	}
	s, err := c.Settings()
	if err != nil {
		return err
	}
	if r.Parallel < 0 {
		return cli.Invalid(fmt.Errorf("--parallel %d: give a whole number above zero", r.Parallel))
	}
	if r.Parallel > 0 {
		s.Parallel = r.Parallel
	}
	c.Environ = withProfile(c.Environ, r.Profile)
	j, err := r.Job(c, schemes, payload.Credentials{
		Method: tasks.AuthWorkerIdentity, MaxPayload: int(s.PayloadLimit),
	})
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if r.Verbose {
		log = slog.New(slog.NewTextHandler(c.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	here, err := startLocal(ctx, s, r.Profile, log)
	if err != nil {
		return err
	}
	defer here.stop()
	if err := here.findIdentities(ctx, j, schemes); err != nil {
		return err
	}
	return r.follow(ctx, c, here, j, schemes)
}

// follow runs a job, and says where its result is.
func (r runCommand) follow(
	ctx context.Context, c cli.Console, here *local, j tasks.Job, schemes payload.Schemes,
) error {
	id, err := here.client.Enqueue(ctx, j)
	if err != nil {
		return err
	}
	err = r.Follow(ctx, c, here.client, show.Job{ID: id, Kind: j.Kind(), Here: true})
	code := cli.Code(err)
	t, ok := j.(interface {
		Target() (tasks.Storage, string)
	})
	if ok && !r.JSON && (code == cli.ExitOK || code == cli.ExitLeftOut) {
		to, key := t.Target()
		w := c.Out
		if r.Errors != "" { // it may have the error list
			w = c.Err
		}
		_, _ = fmt.Fprintf(w, "The result is in %s\n", schemes.Place(to, key))
	}
	return err
}
