package network

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/fastlist"
	"github.com/stevedore-jobs/stevedore/providers/pacer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Stack opens buckets for jobs: a provider's bucket in all its
// wrappers. Every field but Providers may be left out, which leaves
// out its wrapper.
type Stack struct {
	Providers providers.Registry
	// Network checks the way to buckets that are Located.
	Network *Network
	// ListStreams is how many listings of one large bucket that is
	// Located are in flight. Below 2 there is one.
	ListStreams int
	Pacer       *pacer.Pacer
}

// Open opens a storage's bucket for one job. From the inside out, the
// wrappers are:
//
//  1. network checks: they need nothing but the provider's bucket
//  2. parallel listing: sends several listings to the provider at once
//  3. prefix: confines the job, and all later wrappers
//  4. meter: counts each try of a request; nil counts nothing
//  5. pacer: waits and tries again; outside of the meter, so that
//     the meter measures no waiting
//
// A bucket that is not Located, such as a local directory, is listed
// in one stream.
func (s Stack) Open(
	ctx context.Context, storage tasks.Storage, secrets providers.Secrets, m providers.Meter,
) (providers.Bucket, error) {
	b, err := s.Providers.Open(ctx, storage, secrets)
	if err != nil {
		return nil, err
	}

	if s.Network != nil {
		b = s.Network.WithChecks(b)
	}
	if _, ok := providers.As[providers.Located](b); ok {
		b = fastlist.WithParallelListing(b, s.ListStreams)
	}
	b = providers.WithPrefix(b, storage)
	if m != nil {
		b = providers.WithMeter(b, m)
	}
	if s.Pacer != nil {
		b = pacer.WithPacer(b, s.Pacer, storage.ID())
	}
	return b, nil
}
