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
	JSON     bool   `help:"Print the result as JSON."`
	Verbose  bool   `short:"v" help:"Log what the worker does."`
}

// Help is shown by run --help.
func (runCommand) Help() string {
	return "Without other credentials it uses those of the person who runs it, as the clouds' own " +
		"tools do: AWS_PROFILE, aws sso login, gcloud auth application-default login, az login.\n\n" +
		"Examples:\n\n" +
		"    stevedore run verify-connection --source s3://my-bucket/images/ --set need.read=true\n" +
		"    stevedore run build-manifest --source s3://my-bucket/images/ --exclude images/drafts/\n" +
		"    stevedore run generate-thumbnails --source gs://my-bucket/ --to file:///tmp/thumbnails\n" +
		"    stevedore run build-manifest --source s3://public-images/ --anonymous --to file:///tmp/m\n" +
		"    stevedore run export-annotations payload.json"
}

// Run runs a job in this process.
func (r runCommand) Run(ctx context.Context, c cli.Console, schemes payload.Schemes) error {
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
		Secrets: payload.KeepReferences, Method: tasks.AuthWorkerIdentity,
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
	err = show.Follow(ctx, c, here.client, id, r.JSON)
	code := cli.Code(err)
	t, ok := j.(interface {
		Target() (tasks.Storage, string)
	})
	if ok && !r.JSON && (code == cli.ExitOK || code == cli.ExitLeftOut) {
		to, key := t.Target()
		_, _ = fmt.Fprintf(c.Out, "The result is in %s\n", schemes.Place(to, key))
	}
	return err
}
