// Command ownkind shows that Stevedore is open: it defines a kind of
// job (package countobjects) and a provider (package zipbucket) of its
// own, and runs them in a worker together with Stevedore's own.
//
// It needs nothing: Redis is inside the process, and the bucket is a
// zip file that it draws. In production, producers and workers are
// processes of their own that share a Redis.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/embedded"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/export"
	"github.com/stevedore-jobs/stevedore/worker/manifest"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/thumbnail"
	"github.com/stevedore-jobs/stevedore/worker/verify"

	"example.com/ownkind/countobjects"
	"example.com/ownkind/zipbucket"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		slog.Error("ownkind", "error", err)
		os.Exit(1)
	}
}

// run starts a queue and a worker, and runs two jobs on a zip file.
func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "ownkind-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := drawPhotos(dir); err != nil {
		return err
	}
	redis, err := embedded.Start()
	if err != nil {
		return err
	}
	defer redis.Close()

	w, err := newWorker(redis.Options(), dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	defer running.Wait()
	defer cancel()
	return runJobs(ctx, redis.Options(), out)
}

// newWorker makes a worker that runs the built-in kinds of job and our
// own, on S3, on buckets in memory and on our own zip files.
func newWorker(redis redisconn.Options, dir string) (*worker.Worker, error) {
	net := network.New(egress.Policy{}) // no private addresses
	buckets := mem.New()
	buckets.Create("results")
	budget := memory.New(256 << 20) // bytes
	return worker.New(worker.Config{
		Redis: redis,
		Providers: providers.Registry{
			"s3":               &s3.Opener{Client: net.Client()},
			"mem":              buckets,
			zipbucket.Provider: zipbucket.Opener{Dir: dir},
		},
		Network:      net,
		VerifySlots:  1,
		JobSlots:     2,
		ShardSlots:   2,
		Parallel:     8,
		DrainTimeout: 5 * time.Second,
		Log:          slog.New(slog.DiscardHandler),
	},
		worker.Single(verify.Job{}),
		worker.Sharded(manifest.New(budget)),
		worker.Sharded(thumbnail.New(budget)),
		worker.Single(export.New(budget)),
		worker.Sharded(countobjects.Job{}).OfKind(countobjects.Kind()),
	)
}

// runJobs is what a service does: it enqueues jobs and waits for their
// results.
func runJobs(ctx context.Context, redis redisconn.Options, out io.Writer) error {
	client := producer.New(redis, producer.WithKinds(countobjects.Kind()))
	defer func() { _ = client.Close() }()
	photos := tasks.Storage{Provider: zipbucket.Provider, Bucket: "photos"}
	results := tasks.Storage{Provider: "mem", Bucket: "results"}
	for _, job := range []tasks.Job{
		countobjects.Payload{Source: photos},
		tasks.BuildManifest{Source: photos, Destination: &results},
	} {
		id, err := client.Enqueue(ctx, job)
		if err != nil {
			return err
		}
		status, err := client.Wait(ctx, id, func(tasks.Status) {})
		if err != nil {
			return err
		}
		result, err := client.Result(status)
		if err != nil {
			return fmt.Errorf("%w: %+v", err, status.Failure)
		}
		text, err := json.Marshal(result)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s: %s\n  %s\n", status.Kind, result.Summary(), text)
		if err != nil {
			return err
		}
	}
	return nil
}
