package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/file"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/export"
	"github.com/stevedore-jobs/stevedore/worker/manifest"
	"github.com/stevedore-jobs/stevedore/worker/thumbnail"
	"github.com/stevedore-jobs/stevedore/worker/verify"
)

// clouds is the registry: to add a provider, add its line. net is how the
// clouds are reached.
func clouds(a access, net *network.Network) (providers.Registry, error) {
	files, err := file.New(a.fileRoots...)
	if err != nil {
		return nil, invalid(fmt.Errorf("STEVEDORE_FILE_ROOTS: %w", err))
	}
	own := a.ownIdentity
	return providers.Registry{
		"azure": &azure.Opener{Client: net.Client(), WorkerIdentity: own["azure"]},
		"file":  files,
		"gcs":   &gcs.Opener{Client: net.Client(), WorkerIdentity: own["gcs"], TokenURL: a.gcsTokenURL},
		"s3": &s3.Opener{
			Client: net.Client(), WorkerIdentity: own["s3"], InstanceIdentity: true, STSEndpoint: a.stsEndpoint,
		},
	}, nil
}

// access is what payloads may make a process reach.
type access struct {
	egress      egress.Policy
	fileRoots   []string
	ownIdentity map[string]bool // the providers whose buckets the process's own identity may be used on
	stsEndpoint string          // where roles are assumed; empty means AWS
	gcsTokenURL string          // where key files are exchanged for tokens; empty means Google
}

// access is what the operator allows.
func (c config) access() access {
	return access{c.egress, c.FileRoots, c.identity, c.STSEndpoint, c.GCSTokenURL}
}

// everything is for the person at the keyboard, who may reach all of it
// anyway; some addresses are refused always.
func (c config) everything() access {
	return access{
		stsEndpoint: c.STSEndpoint, gcsTokenURL: c.GCSTokenURL,
		egress:      egress.Policy{AllowHTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}},
		fileRoots:   []string{"/"},
		ownIdentity: map[string]bool{"s3": true, "gcs": true, "azure": true},
	}
}

// jobs is what the engine runs: to add a job, add its line.
func (c config) jobs() []worker.Registration {
	return []worker.Registration{
		worker.Single(verify.Job{}),
		worker.Sharded(manifest.Job{}),
		worker.Sharded(thumbnail.New(int64(c.MemoryBudget))),
		worker.Single(export.Job{}),
	}
}

// workerConfig is how the worker command runs.
func (c config) workerConfig(log *slog.Logger, r prometheus.Registerer) (worker.Config, error) {
	a := c.access()
	net := network.New(a.egress)
	registry, err := clouds(a, net)
	keys, wrong := keyRing(c.PrivateKeys, c.vars)
	err = errors.Join(err, wrong)
	return worker.Config{
		Redis: c.redis, Providers: registry, Network: net, ListStreams: c.ListStreams,
		Secrets:     providers.Secrets{Allow: c.Secrets, Keys: keys},
		VerifySlots: c.VerifySlots, JobSlots: c.JobSlots, ShardSlots: c.ShardSlots, Parallel: c.Parallel,
		BucketShards: c.BucketShards, TenantShards: c.TenantShards, PartsBudget: int64(c.PartsBudget),
		DrainTimeout: c.DrainTimeout, SettingName: variable, Log: log, Registry: r,
	}, err
}
