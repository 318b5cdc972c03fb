package hostile

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// site is a worker that is under attack from one cloud, and its Redis.
type site struct {
	cloud   string
	server  servers.HostileServer
	secrets *secrets
	client  *producer.Client
	sampler *redisSampler
	environ []string

	mu      sync.Mutex
	workers []*worker // the last one runs
	running map[*result]bool
	peak    int64    // resident memory of any worker, bytes
	deaths  []string // what happened when workers ended by themselves

	exits time.Duration // the longest that a worker took to end after SIGTERM
}

func newSite(t *testing.T, server servers.HostileServer, cloud string) *site {
	t.Helper()
	r := queuetest.Start(t)
	s := &site{
		cloud: cloud, server: server, secrets: &secrets{dir: t.TempDir()}, client: producer.New(r.Options()),
		sampler: newRedisSampler(t, r.Options()), running: map[*result]bool{},
	}
	t.Cleanup(func() { _ = s.client.Close() })
	s.environ = settings(t, r, server.Endpoints, s.secrets.dir)
	s.start(t)
	return s
}

// start starts the next worker. It fails the test if that does not
// work.
func (s *site) start(t *testing.T) {
	t.Helper()
	w, err := startWorker(t, s.environ)
	if err != nil {
		t.Error(err)
	}
	if w != nil {
		s.workers = append(s.workers, w)
	}
}

// background starts what watches the site. stop ends it, and returns
// when it has ended.
func (s *site) background(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.watch(ctx, t) })
	wg.Go(func() { s.sampler.run(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// watch looks at the worker's memory until ctx ends. When a worker has
// died it starts a new one, so that the table becomes complete.
func (s *site) watch(ctx context.Context, t *testing.T) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.look(t)
		}
	}
}

// killAt is the resident memory in bytes at which a worker is killed,
// to protect the machine.
const killAt = 1500 << 20

func (s *site) look(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[len(s.workers)-1]
	now := w.resident()
	s.peak = max(s.peak, now)
	for r := range s.running {
		r.memory = max(r.memory, now)
	}
	if now > killAt {
		_ = w.cmd.Process.Kill()
		<-w.ended
	}
	if w.alive() {
		return
	}
	text := fmt.Sprintf("a worker died at %d MB, during:", now>>20)
	for r := range s.running {
		r.died = true
		text += "\n  " + r.cell.String()
	}
	s.deaths = append(s.deaths, text+"\nthe end of its log:\n"+w.lastLines())
	s.start(t)
}

// restart stops the worker with SIGTERM and starts a new one. It
// returns the old one, and how long that took to end.
func (s *site) restart(t *testing.T) (old *worker, took time.Duration) {
	t.Helper()
	s.mu.Lock() // the end of this worker is no death
	defer s.mu.Unlock()
	old = s.workers[len(s.workers)-1]
	took, err := old.stop(neverWait)
	if err != nil {
		t.Error(err)
	}
	s.exits = max(s.exits, took)
	s.start(t)
	return old, took
}

// endOf returns how far the attempts at a job have ended, on all
// workers.
func (s *site) endOf(job string) (all end) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		if e := w.endOf(job); e.last.After(all.last) {
			all = end{e.last, e.job || all.job}
		}
	}
	return all
}

// awaitEnd waits until an attempt at a job has ended, which is soon
// after the job has.
func (s *site) awaitEnd(id string) {
	eventually(20*time.Second, func() bool { return s.endOf(id).job })
}

// eventually waits for a condition, and reports whether it came true
// within a time.
func eventually(limit time.Duration, condition func() bool) bool {
	for begun := time.Now(); time.Since(begun) < limit; <-time.After(20 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return false
}

func (s *site) enqueue(t *testing.T, j tasks.Job) string {
	t.Helper()
	id, err := s.client.Enqueue(t.Context(), j)
	if err != nil {
		t.Error(err)
	}
	return id
}

func (s *site) wait(t *testing.T, id string) (tasks.Status, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), neverWait)
	defer cancel()
	return s.client.Wait(ctx, id, nil)
}
