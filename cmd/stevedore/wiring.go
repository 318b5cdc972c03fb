package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/file"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks/queue/embedded"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/export"
	"github.com/stevedore-jobs/stevedore/worker/manifest"
	"github.com/stevedore-jobs/stevedore/worker/thumbnail"
	"github.com/stevedore-jobs/stevedore/worker/verify"
)

// clouds is the registry: to add a provider, add its line.
func clouds(p egress.Policy, fileRoots ...string) (providers.Registry, error) {
	files, err := file.New(fileRoots...)
	if err != nil {
		return nil, invalid(fmt.Errorf("STEVEDORE_FILE_ROOTS: %w", err))
	}
	return providers.Registry{
		"file": files,
		"s3":   &s3.Opener{Client: p.Client()},
	}, nil
}

// jobs is what the engine runs: to add a job, add its line.
func jobs() []worker.Registration {
	return []worker.Registration{
		worker.Single(verify.Job{}),
		worker.Sharded(manifest.Job{}),
		worker.Sharded(thumbnail.New(thumbnail.DefaultBudget)),
		worker.Single(export.Job{}),
	}
}

// workerConfig is how the worker command runs.
func (c config) workerConfig(log *slog.Logger, r prometheus.Registerer) (worker.Config, error) {
	registry, err := clouds(c.egress, c.FileRoots...)
	return worker.Config{
		Redis: c.redis, Providers: registry, Secrets: providers.Secrets{Allow: c.Secrets},
		VerifySlots: c.VerifySlots, JobSlots: c.JobSlots, ShardSlots: c.ShardSlots, Parallel: c.Parallel,
		DrainTimeout: c.DrainTimeout, Log: log, Registry: r,
	}, err
}

// local is a queue and a worker inside this process, for the person at the keyboard: they may read whatever they may read
// anyway, so no secret, directory or private address is kept from them.
type local struct {
	client *producer.Client
	stop   func()
}

// everywhere is every address that is not refused always.
func everywhere() egress.Policy {
	return egress.Policy{AllowHTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
}

func startLocal(ctx context.Context, log *slog.Logger) (*local, error) {
	registry, err := clouds(everywhere(), "/")
	if err != nil {
		return nil, err
	}
	redis, err := embedded.Start()
	if err != nil {
		return nil, err
	}
	slots := runtime.GOMAXPROCS(0)
	w, err := worker.New(worker.Config{
		Redis: redis.Options(), Providers: registry, Secrets: providers.Secrets{Any: true},
		VerifySlots: slots, JobSlots: slots, ShardSlots: slots, Parallel: 32, DrainTimeout: 5 * time.Second, Log: log,
	}, jobs()...)
	if err != nil {
		redis.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.Run(ctx); err != nil {
			log.Error("worker", "error", err)
		}
	})
	client := producer.New(redis.Options())
	return &local{client, func() {
		_ = client.Close()
		cancel()
		wg.Wait()
		redis.Close()
	}}, nil
}
