package main

import (
	"context"
	"net/http"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/azure"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/gcs"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/s3"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/sts"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// emulators holds the servers and what tests must know of them.
type emulators struct {
	root    gateway.Keys // of the emulated AWS
	control string       // URL of the control endpoint
	s3      *s3.Gate
	gcs     *gcs.Server
}

// startEmulators serves all emulators in front of a running gateway
// until ctx ends. The control endpoint, with which tests prepare
// them, is documented beside each emulator: see the Register methods.
func startEmulators(ctx context.Context, g *gateway.Gateway) (*emulators, error) {
	buckets := s3.NewBuckets(g)
	gate, err := s3.StartGate(ctx, g.Addr(), buckets)
	if err != nil {
		return nil, err
	}
	storage, err := gcs.Start(ctx)
	if err != nil {
		return nil, err
	}

	users := gateway.NewUsers(g)
	control := http.NewServeMux()
	buckets.Register(control)
	users.Register(control)
	gate.Register(control)
	sts.New(ctx, g.IAM(), users).Register(control)
	storage.Register(control)
	azure.NewGates(ctx).Register(control)
	bad, err := hostile.Start(ctx)
	if err != nil {
		return nil, err
	}
	bad.Register(control)
	url, err := web.Serve(ctx, control)
	return &emulators{root: g.Root(), control: url, s3: gate, gcs: storage}, err
}
