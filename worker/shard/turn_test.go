package shard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// slowJob is a sharded job whose objects take a while.
type slowJob struct {
	blockedJob
	asks  bool // asks before each object
	mu    sync.Mutex
	begun []string // keys of objects
}

const slowObjects = 40 // in the shard

// Work implements job.Sharded.
func (j *slowJob) Work(
	ctx context.Context, _ tasks.Job, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	var objects []job.ListedObject
	for i := range slowObjects {
		if key := fmt.Sprintf("%02d", i); key > s.After {
			objects = append(objects, job.ListedObject{Object: providers.Object{Key: key}})
		}
	}
	if !j.asks {
		env.MayBegin = nil
	}
	do := func(ctx context.Context, o providers.Object) (job.Item, error) {
		j.mu.Lock()
		j.begun = append(j.begun, o.Key)
		j.mu.Unlock()
		select {
		case <-ctx.Done():
			return job.Item{}, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		return job.Item{Data: []byte(o.Key + "\n"), Bytes: 1}, nil
	}
	return s.Items(ctx, env, objects, do)
}

// call calls code that obeys its context.
func call(_ context.Context, code func() error) error { return guard.Call(code) }

// turns runs one shard in as many turns as it takes. waiting says which
// jobs wait. It returns the number of runs, and what was committed.
func (j *slowJob) turns(t *testing.T, waiting ...string) (runs int, done tasks.Progress) {
	t.Helper()
	store := newStore(t)
	lease := claimOneShard(t, store)
	kind, err := tasks.Lookup("build-manifest")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	r := New(Config{
		Store:          store,
		Metrics:        noMetrics{},
		Log:            slog.New(slog.DiscardHandler),
		HeartbeatEvery: 10 * time.Millisecond,
		Turn:           30 * time.Millisecond,
		Waiting: func(context.Context) ([]string, error) {
			asked.Add(1)
			return waiting, nil
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { r.SendHeartbeats(ctx) })
	group.Go(func() { r.EndTurns(ctx) })
	defer group.Wait()
	defer cancel()
	for err = outcome.ErrTurn; errors.Is(err, outcome.ErrTurn) && runs < slowObjects; runs++ {
		run, started := store.StartShard(t.Context(), asynqtask.ShardRef{Job: "j"})
		if started != nil || !run.Wanted {
			t.Fatal(run, started)
		}
		env := job.Env{Log: slog.New(slog.DiscardHandler), Parallel: 4}
		err = r.Run(t.Context(), Task{Kind: job.Kind{Kind: kind, Sharded: j}, Lease: run, Env: env, Call: call})
		if errors.Is(err, outcome.ErrTurn) {
			err = errors.Join(err, run.Suspend(t.Context(), 0))
		}
	}
	if err != nil || asked.Load() == 0 {
		t.Errorf("after %d runs: %v; asked %d times who waits", runs, err, asked.Load())
	}
	snapshot, err := lease.Heartbeat(t.Context(), queue.ProgressReport{Total: -1})
	if err != nil || !snapshot.Done(0) || len(snapshot.Shards) != 0 {
		t.Errorf("%+v, %v", snapshot, err)
	}
	return runs, snapshot.Committed
}

// claimOneShard claims a job "j" with one planned shard.
func claimOneShard(t *testing.T, store queue.Store) queue.Lease {
	t.Helper()
	payload, err := json.Marshal(tasks.BuildManifest{Source: tasks.Storage{Provider: "mem", Bucket: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := store.Claim(t.Context(), queue.ClaimRequest{
		Ref: asynqtask.JobRef{Job: "j"}, Kind: "build-manifest", Payload: payload, First: tasks.StateRunning,
	})
	if err != nil {
		t.Fatal(err)
	}
	shard := queue.PlannedShard{Shard: []byte(`{"through":"99","objects":40}`), Objects: slowObjects}
	if err := lease.Plan(t.Context(), shard); err != nil {
		t.Fatal(err)
	}
	return lease
}

// While another job waits, a shard is done in many turns. Each object
// counts once, and none is begun twice: those under way at the end of a
// turn are finished.
func TestShardIsDoneInTurns(t *testing.T) {
	t.Parallel()
	j := &slowJob{asks: true}
	runs, done := j.turns(t, "other")
	if runs < 2 || done.Objects != slowObjects || done.Bytes != slowObjects {
		t.Errorf("%d runs, %+v", runs, done)
	}
	slices.Sort(j.begun)
	if again := len(j.begun) - len(slices.Compact(slices.Clone(j.begun))); again != 0 || len(j.begun) != slowObjects {
		t.Errorf("%d objects were begun, %d of them again", len(j.begun), again)
	}
}

// Work that does not ask before each object is stopped after an item.
// What it has begun is begun again, but each object counts once.
func TestWorkThatDoesNotAskTakesTurns(t *testing.T) {
	t.Parallel()
	runs, done := new(slowJob).turns(t, "j", "other")
	if runs < 2 || done.Objects != slowObjects || done.Bytes != slowObjects {
		t.Errorf("%d runs, %+v", runs, done)
	}
}

// A shard is done in one run if no other job waits. Shards of its own
// job may wait.
func TestShardAloneIsDoneInOneRun(t *testing.T) {
	t.Parallel()
	for _, waiting := range [][]string{nil, {"j"}} {
		if runs, done := (&slowJob{asks: true}).turns(t, waiting...); runs != 1 || done.Objects != slowObjects {
			t.Errorf("%d runs while %q wait, %+v", runs, waiting, done)
		}
	}
}

// A careful run keeps its slot. So does a run that is not old enough.
// Very long runs end even if nobody waits.
func TestWhoseTurnEnds(t *testing.T) {
	t.Parallel()
	h := newHeartbeats(Config{Log: slog.New(slog.DiscardHandler)})
	r := &Runner{
		config: Config{
			Log:     slog.New(slog.DiscardHandler),
			Turn:    time.Minute,
			Waiting: func(context.Context) ([]string, error) { return nil, errors.New("no Redis") },
		},
		heartbeats: h,
	}
	for i, c := range []struct {
		age     time.Duration
		careful bool
		over    bool
	}{{maxTurn + 1, false, true}, {maxTurn + 1, true, false}, {maxTurn / 2, false, false}} {
		_, m := h.join(t.Context(), asynqtask.ShardRef{Job: "j", Shard: i}, 0)
		m.turn.began = time.Now().Add(-c.age)
		m.careful.Store(c.careful)
		r.endTurns(t.Context())
		if m.turn.over.Load() != c.over {
			t.Errorf("%+v: %v", c, m.turn.over.Load())
		}
		if err := m.turn.mayBegin(); err != nil {
			t.Errorf("%+v: the first object may not begin: %v", c, err)
		}
		if err := m.turn.mayBegin(); (err != nil) != c.over {
			t.Errorf("%+v: the second object: %v", c, err)
		}
		m.leave()
	}
}
