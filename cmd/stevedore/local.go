package main

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue/embedded"
	"github.com/stevedore-jobs/stevedore/worker"
)

// local is a queue and a worker inside this process, for the person at
// the keyboard. It may read every secret and directory and reach every
// private address that the person can.
type local struct {
	client  *producer.Client
	openers providers.Registry
	stop    func()
}

// startLocal starts both. The profile is the person's in the files of
// AWS; empty means the default.
func startLocal(
	ctx context.Context, s settings.Settings, profile string, log *slog.Logger,
) (*local, error) {
	a := everything(s)
	a.profile = profile
	net := network.New(a.egress)
	openers, err := registry(a, net)
	if err != nil {
		return nil, err
	}
	redis, err := embedded.Start()
	if err != nil {
		return nil, err
	}
	config := localConfig(s, log)
	config.Redis, config.Providers, config.Network = redis.Options(), openers, net
	w, err := worker.New(config, jobs(s)...)
	if err != nil {
		redis.Close()
		return nil, err
	}

	ctx, cancel := context.WithCancel(ctx)
	ended := guard.Go(func() error {
		err := w.Run(ctx)
		if err != nil {
			log.Error("worker", "error", err)
		}
		return err
	})
	client := producer.New(redis.Options(), producer.WithPayloadLimit(int(s.PayloadLimit)))
	return &local{client, openers, func() {
		_ = client.Close()
		cancel()
		_ = <-ended // it is in the log
		redis.Close()
	}}, nil
}

// localConfig is the configuration of a worker that runs one job.
func localConfig(s settings.Settings, log *slog.Logger) worker.Config {
	slots := runtime.GOMAXPROCS(0)
	return worker.Config{
		ListStreams:  s.ListStreams,
		PayloadLimit: int(s.PayloadLimit),
		JobObjects:   -1,
		Secrets:      providers.Secrets{Any: true},
		VerifySlots:  slots,
		JobSlots:     slots,
		ShardSlots:   slots,
		Parallel:     s.Parallel,
		DrainTimeout: 5 * time.Second,
		SettingName:  settings.Name,
		Log:          log,
	}
}
