package coordinator

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
)

const (
	// renewEvery is how often an unchanged reservation is renewed. It
	// would expire otherwise.
	renewEvery = 5 * time.Second
	// releaseTimeout is how long freeing the reservations may take.
	releaseTimeout = time.Second
)

// jobCaps holds one job's reservations of the caps that apply to it:
// one cap for each bucket that it uses, and one for its tenant. A cap
// limits the shards that run at once, and all workers share it.
type jobCaps struct {
	caps     caps.Caps
	job      string
	limits   []caps.Cap
	renewed  time.Time
	reserved int // shards
}

func newJobCaps(c *Config, j Job) *jobCaps {
	all := &jobCaps{caps: c.Store.Caps(), job: j.Lease.ID}
	if c.BucketShards > 0 {
		seen := map[string]bool{}
		for _, storage := range tasks.Storages(j.Payload) {
			id := storage.ID()
			if seen[id] {
				continue
			}
			seen[id] = true
			all.add("bucket:"+id, c.BucketShards)
		}
	}
	if tenant := j.Payload.JobTerms().Tenant; tenant != "" && c.TenantShards > 0 {
		all.add("tenant:"+tenant, c.TenantShards)
	}
	return all
}

func (c *jobCaps) add(name string, limit int) {
	c.limits = append(c.limits, caps.Cap{Name: name, Limit: limit})
}

// reserve returns how many of the more wanted shards may start now,
// when have shards of the job run already.
func (c *jobCaps) reserve(ctx context.Context, have, more int) (int, error) {
	if len(c.limits) == 0 {
		return more, nil
	}
	if more == 0 && have == c.reserved && time.Since(c.renewed) < renewEvery {
		return 0, nil
	}
	granted, err := c.reserveAll(ctx, have, have+more)
	if err == nil && len(c.limits) > 1 && granted < have+more {
		// Give back to each cap what another cap does not allow.
		granted, err = c.reserveAll(ctx, have, granted)
	}
	if err != nil {
		return 0, err
	}
	c.renewed, c.reserved = time.Now(), granted
	return granted - have, nil
}

// reserveAll returns how many of the wanted shards every cap allows.
func (c *jobCaps) reserveAll(ctx context.Context, have, want int) (int, error) {
	for _, limit := range c.limits {
		n, err := c.caps.Reserve(ctx, limit, caps.Request{Job: c.job, Have: have, Want: want})
		if err != nil {
			return 0, err
		}
		want = min(want, n)
	}
	return want, nil
}

// release frees the reservations. If it fails, they expire by
// themselves.
func (c *jobCaps) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for _, limit := range c.limits {
		_ = c.caps.Release(ctx, limit.Name, c.job)
	}
}
