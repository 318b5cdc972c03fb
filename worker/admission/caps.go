package admission

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

const (
	// askAgain is how long a cap that was reached is not asked again,
	// unless a task of this process gives its place back.
	askAgain = 200 * time.Millisecond
	// releaseTimeout is how long giving a place back may take.
	releaseTimeout = time.Second
)

// reachedCap is what a pool knows of a cap that was reached.
type reachedCap struct {
	denied string // the owner or job that it stopped
	at     time.Time
}

// limit is a cap that applies to a task.
type limit struct {
	caps.Cap
	denied string // the owner or job that may not run when the cap is reached
}

func (p *Pool) limits(t turns.Task) (all []limit) {
	if p.config.PerTenant > 0 && t.Tenant != "" {
		all = append(all, limit{
			caps.Cap{Name: p.config.Name + ":tenant:" + t.Tenant, Limit: p.config.PerTenant},
			t.Owner(),
		})
	}
	if p.config.PerBucket > 0 {
		for _, id := range p.buckets(t) {
			all = append(all, limit{
				caps.Cap{Name: p.config.Name + ":bucket:" + id, Limit: p.config.PerBucket},
				turns.OfJob(t.Job()),
			})
		}
	}
	return all
}

// buckets returns the IDs of the buckets that a task works on, each
// once: a shard's or a job's. It returns none for an invalid payload.
func (p *Pool) buckets(t turns.Task) (ids []string) {
	if _, isShard := asynqtask.ShardKind(t.Type); isShard {
		var shares asynqtask.ShardShares
		if err := json.Unmarshal(t.Payload, &shares); err != nil {
			return nil
		}
		return shares.Buckets
	}
	kind, ok := p.config.Kinds[t.Type]
	if !ok {
		return nil
	}
	payload, err := kind.DecodeValid(t.Payload)
	if err != nil {
		return nil
	}
	for _, storage := range tasks.Storages(payload) {
		ids = append(ids, storage.ID())
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// acquire takes a place of each cap for a task. If one of them is
// reached, it returns whose tasks may not run now.
func (p *Pool) acquire(
	ctx context.Context, t turns.Task,
) (held []caps.Cap, denied string, err error) {
	limits := p.limits(t)
	for _, l := range limits {
		held = append(held, l.Cap)
	}
	name, err := p.config.Caps.Acquire(ctx, held, p.holder(t.ID))
	if err != nil || name == "" {
		return held, "", err
	}
	for _, l := range limits {
		if l.Name == name {
			denied = l.denied
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reached[name+" "+denied] = reachedCap{denied, time.Now()}
	return nil, denied, nil
}

// capped returns whose tasks a cap stopped just now.
func (p *Pool) capped() (denied []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, r := range p.reached {
		if time.Since(r.at) > askAgain {
			delete(p.reached, name)
			continue
		}
		denied = append(denied, r.denied)
	}
	return denied
}

// holder names a task in the caps. Two processes may want a place for
// the same task, of which one then gets the task.
func (p *Pool) holder(taskID string) string { return p.process + " " + taskID }

// release gives the places of a task back.
func (p *Pool) release(one *place) {
	if len(one.caps) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	p.config.Caps.Release(ctx, one.caps, p.holder(one.task))
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.reached)
}

// HoldPlaces renews the places of all tasks until ctx ends.
func (p *Pool) HoldPlaces(ctx context.Context) {
	ticks := time.NewTicker(caps.RenewEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			p.renew(ctx)
		}
	}
}

func (p *Pool) renew(ctx context.Context) {
	p.mu.Lock()
	places := p.places()
	p.mu.Unlock()
	holders := map[string][]string{}
	for _, one := range places {
		for _, c := range one.caps {
			holders[c.Name] = append(holders[c.Name], p.holder(one.task))
		}
	}
	for name, list := range holders {
		_ = p.config.Caps.Renew(ctx, name, list) // the next call makes up for it
	}

	// The call may have come after a task gave its places back.
	p.mu.Lock()
	now := map[*place]bool{}
	for _, one := range p.places() {
		now[one] = true
	}
	p.mu.Unlock()
	for _, one := range places {
		if !now[one] {
			p.release(one)
		}
	}
}
