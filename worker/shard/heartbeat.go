package shard

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// heartbeats sends heartbeats for all runs of this process. The runs of
// one job share a request.
type heartbeats struct {
	store queue.Store
	every time.Duration
	log   *slog.Logger

	mu   sync.Mutex
	jobs map[jobRound]*group
}

// jobRound is a job in one round. Runs of the round before, which is
// over, must not count for the next.
type jobRound struct {
	job   string
	round int
}

func newHeartbeats(c Config) *heartbeats {
	return &heartbeats{
		store: c.Store,
		every: c.HeartbeatEvery,
		log:   c.Log,
		jobs:  map[jobRound]*group{},
	}
}

// member is one run in its job's group.
type member struct {
	heartbeats *heartbeats
	ref        asynqtask.ShardRef
	group      *group
	progress   *runProgress
	turn       *turn
	careful    atomic.Bool // one object at a time
	stop       context.CancelCauseFunc
}

// join sends heartbeats for a run until leave is called. The context
// ends with outcome.ErrObsolete when the job does not need the run any
// more.
func (h *heartbeats) join(
	ctx context.Context, ref asynqtask.ShardRef, round int,
) (context.Context, *member) {
	job := jobRound{ref.Job, round}
	ctx, stop := context.WithCancelCause(ctx)
	m := &member{
		heartbeats: h,
		ref:        ref,
		progress:   new(runProgress),
		turn:       &turn{began: time.Now()},
		stop:       stop,
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m.group = h.jobs[job]
	if m.group == nil {
		m.group = &group{runs: map[int]*member{}}
		h.jobs[job] = m.group
	}
	m.group.runs[ref.Shard] = m
	m.group.idle = false
	return ctx, m
}

func (m *member) leave() {
	m.stop(nil)
	m.heartbeats.mu.Lock()
	defer m.heartbeats.mu.Unlock()
	if m.group.runs[m.ref.Shard] == m { // else a later run of the shard has joined
		delete(m.group.runs, m.ref.Shard)
	}
}

// run sends heartbeats until ctx ends.
func (h *heartbeats) run(ctx context.Context) {
	ticks := time.NewTicker(h.every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		h.removeIdle()
		for job, g := range h.groups() {
			h.send(ctx, job, g)
		}
	}
}

// removeIdle removes the groups that have had no run since it was last
// called. The next shard of a job often begins a moment after the one
// before it, and can then use the same group.
func (h *heartbeats) removeIdle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.jobs, func(_ jobRound, g *group) bool {
		idle := len(g.runs) == 0
		remove := idle && g.idle
		g.idle = idle
		return remove
	})
}

func (h *heartbeats) groups() map[jobRound]*group {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.jobs)
}

// send sends one heartbeat for the runs of a job. It stops them if the
// job does not need them any more.
func (h *heartbeats) send(ctx context.Context, of jobRound, g *group) {
	g.sending.Lock()
	defer g.sending.Unlock()
	runs := h.members(g)
	if len(runs) == 0 {
		return
	}
	counts := make(map[int]tasks.Progress, len(runs))
	for _, m := range runs {
		counts[m.ref.Shard] = m.progress.counts()
	}

	wanted, err := h.store.HeartbeatShards(ctx, of.job, of.round, counts)
	switch {
	case err != nil:
		h.log.Debug("heartbeat not sent", "job", of.job, "error", err)
	case !wanted:
		for _, m := range runs {
			m.stop(outcome.ErrObsolete)
		}
	}
}

func (h *heartbeats) members(g *group) []*member {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(g.runs))
}
