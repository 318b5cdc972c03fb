package admission

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

const (
	// askAgain is how long a cap that was reached is not asked again,
	// unless a task of this process gives its place back.
	askAgain = 200 * time.Millisecond
	// capMemory is how long a cap that was reached counts as the reason
	// why tasks wait.
	capMemory = 30 * time.Second
	// logAgain is how often at most a cap is logged.
	logAgain = 10 * time.Minute
	// releaseTimeout is how long giving a place back may take.
	releaseTimeout = time.Second
)

// tenantCaps are the caps of tenants and buckets that apply to a pool.
// It is safe for concurrent use.
type tenantCaps struct {
	config  Config
	process string

	mu      *sync.Mutex
	reached map[string]reachedCap // those that were reached just now
}

func newTenantCaps(c Config) tenantCaps {
	return tenantCaps{c, rand.Text(), new(sync.Mutex), map[string]reachedCap{}}
}

func (c tenantCaps) apply() bool { return c.config.PerTenant > 0 || c.config.PerBucket > 0 }

// reachedCap is what a pool knows of a cap that was reached.
type reachedCap struct {
	denied string    // the owner or job that it stopped
	at     time.Time // when it did, last
	asked  time.Time // the same, but zero after a place was given back here
	logged time.Time
}

// limit is a cap that applies to a task.
type limit struct {
	caps.Cap
	denied string // the owner or job that may not run when the cap is reached
}

func (c tenantCaps) limits(t turns.Task) (all []limit) {
	if c.config.PerTenant > 0 && t.Tenant != "" {
		all = append(all, limit{
			caps.Cap{Name: c.config.Name + ":tenant:" + t.Tenant, Limit: c.config.PerTenant},
			t.Owner(),
		})
	}
	if c.config.PerBucket > 0 {
		for _, id := range c.buckets(t) {
			all = append(all, limit{
				caps.Cap{Name: c.config.Name + ":bucket:" + id, Limit: c.config.PerBucket},
				turns.OfJob(t.Job()),
			})
		}
	}
	return all
}

// buckets returns the IDs of the buckets that a task works on, each
// once: a shard's or a job's. It returns none for an invalid payload.
func (c tenantCaps) buckets(t turns.Task) []string {
	if _, isShard := asynqtask.ShardKind(t.Type); isShard {
		var shares asynqtask.ShardShares
		if err := json.Unmarshal(t.Payload, &shares); err != nil {
			return nil
		}
		return shares.Buckets
	}
	kind, ok := c.config.Kinds[t.Type]
	if !ok {
		return nil
	}
	payload, err := kind.DecodeValid(t.Payload)
	if err != nil {
		return nil
	}
	return asynqtask.SharesOf(payload).Buckets
}

// acquire takes a place of each cap for a task. If one of them is
// reached, it returns whose tasks may not run now.
func (c tenantCaps) acquire(
	ctx context.Context, t turns.Task,
) (held []caps.Cap, denied string, err error) {
	limits := c.limits(t)
	for _, l := range limits {
		held = append(held, l.Cap)
	}
	name, err := c.config.Caps.Acquire(ctx, held, c.holder(t.ID))
	if err != nil || name == "" {
		return held, "", err
	}
	for _, l := range limits {
		if l.Name == name {
			denied = l.denied
		}
	}
	c.note(name, denied)
	return nil, denied, nil
}

// note notes that a cap has stopped an owner or a job, and logs it now
// and then.
func (c tenantCaps) note(name, denied string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	r := c.reached[name+" "+denied]
	if now.Sub(r.logged) > logAgain {
		r.logged = now
		c.config.Log.Info("a cap is reached: tasks wait", "cap", name)
	}
	r.denied, r.at, r.asked = denied, now, now
	c.reached[name+" "+denied] = r
}

// reachedNow returns whose tasks a cap stopped just now.
func (c tenantCaps) reachedNow() (denied []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.reached {
		if time.Since(r.asked) <= askAgain {
			denied = append(denied, r.denied)
		}
	}
	return denied
}

// reachedWithin returns whose tasks a cap stopped within a time.
func (c tenantCaps) reachedWithin(limit time.Duration) (denied []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, r := range c.reached {
		switch since := time.Since(r.at); {
		case since <= limit:
			denied = append(denied, r.denied)
		case since > logAgain:
			delete(c.reached, name)
		}
	}
	return denied
}

// holder names a task in the caps. Two processes may want a place for
// the same task, of which one then gets the task.
func (c tenantCaps) holder(taskID string) string { return c.process + " " + taskID }

// release gives the places of a task back.
func (c tenantCaps) release(one *place) {
	if len(one.caps) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	c.config.Caps.Release(ctx, one.caps, c.holder(one.task))
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, r := range c.reached {
		r.asked = time.Time{}
		c.reached[name] = r
	}
}

// renew renews the leases of tasks. What it cannot renew is renewed the
// next time.
func (c tenantCaps) renew(ctx context.Context, all []*place) {
	holders := map[string][]string{}
	for _, one := range all {
		for _, held := range one.caps {
			holders[held.Name] = append(holders[held.Name], c.holder(one.task))
		}
	}
	for name, list := range holders {
		_ = c.config.Caps.Renew(ctx, name, list)
	}
}
