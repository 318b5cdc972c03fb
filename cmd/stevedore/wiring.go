package main

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/export"
	"github.com/stevedore-jobs/stevedore/worker/ffprobe"
	"github.com/stevedore-jobs/stevedore/worker/manifest"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/thumbnail"
	"github.com/stevedore-jobs/stevedore/worker/verify"
)

// jobs returns what the engine runs: to add a job, add its line.
func jobs(s settings.Settings) []worker.Registration {
	budget := memory.New(s.MemoryBudget)
	return []worker.Registration{
		worker.Single(verify.Job{}),
		worker.Sharded(manifest.New(budget).WithFFprobe(ffprobe.Program{Path: s.FFprobe})),
		worker.Sharded(thumbnail.New(budget)),
		worker.Single(export.New(budget)),
	}
}

// workerConfig returns how the worker command runs.
func workerConfig(
	s settings.Settings, log *slog.Logger, r prometheus.Registerer,
) (worker.Config, error) {
	a := allowed(s)
	net := network.New(a.egress)
	openers, err := registry(a, net)
	return worker.Config{
		Redis:       s.Redis,
		Providers:   openers,
		Network:     net,
		ListStreams: s.ListStreams,
		Secrets:     providers.Secrets{Allow: s.SecretsAllow, Keys: s.PrivateKeys},

		VerifySlots:  s.VerifySlots,
		JobSlots:     s.JobSlots,
		ShardSlots:   s.ShardSlots,
		Parallel:     s.Parallel,
		BucketShards: s.BucketShards,
		TenantShards: s.TenantShards,
		PayloadLimit: int(s.PayloadLimit),
		RedisBudget:  s.RedisBudget,
		JobObjects:   objectLimit(s.JobObjects),
		DrainTimeout: s.DrainTimeout,

		SettingName: settings.Name,
		Log:         log,
		Registry:    r,
	}, err
}

// objectLimit returns a limit as worker.Config has it, where 0 means the
// default.
func objectLimit(objects int) int64 {
	if objects == 0 {
		return -1
	}
	return int64(objects)
}
