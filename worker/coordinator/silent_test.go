package coordinator

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// replacements counts the shards that were replaced.
type replacements struct{ n int }

func (r *replacements) ShardReplaced(string, string) { r.n++ }

// A shard that was handed over waits on the queue. When a worker takes
// its task, the worker has a moment for its first heartbeat. Only then
// does its silence mean that it has died.
func TestTakenShardHasTimeToBegin(t *testing.T) {
	t.Parallel()
	client := queuetest.Embedded(t).Client()
	defer func() { _ = client.Close() }()
	counts := new(replacements)
	config := &Config{
		Store:   queue.NewStore(client),
		Tasks:   asynqtask.NewClient(client, client),
		Metrics: counts,
		Log:     slog.New(slog.DiscardHandler),
	}
	lease, err := config.Store.Claim(t.Context(), queue.ClaimRequest{
		Ref: asynqtask.JobRef{Job: "j"}, Kind: "build-manifest", First: tasks.StateRunning,
	})
	if err != nil {
		t.Fatal(err)
	}
	shard := queue.PlannedShard{Shard: []byte(`{"through":"a"}`), Objects: 1}
	if err := lease.Plan(t.Context(), shard); err != nil {
		t.Fatal(err)
	}
	s := &supervisor{
		config:   config,
		run:      &run{config: config, job: Job{Lease: lease}},
		queue:    tasks.QueueShards,
		enqueued: map[int]*enqueuedShard{0: {}},
	}
	if err := s.enqueue(t.Context(), 0, 0); err != nil {
		t.Fatal(err)
	}
	check := func(what string, want int) {
		t.Helper()
		e := s.enqueued[0]
		e.silenceChecked = e.silenceChecked.Add(-beginWithin) // as if the time had passed
		if err := s.checkSilent(t.Context(), 0, queue.ShardState{}); err != nil || counts.n != want {
			t.Errorf("%s: %d shards replaced, want %d; %v", what, counts.n, want, err)
		}
	}
	check("while it waits", 0)
	s.enqueued[0].silenceChecked = time.Time{}
	const pending, active = "asynq:{shards}:pending", "asynq:{shards}:active"
	if err := client.RPopLPush(t.Context(), pending, active).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.HSet(t.Context(), "asynq:{shards}:t:j:s:0", "state", "active").Err(); err != nil {
		t.Fatal(err)
	}
	check("just taken", 0)
	now := time.Now()
	s.enqueued[0].observe(queue.ShardState{LastHeartbeat: now}, now) // the run has begun
	s.enqueued[0].silenceChecked = time.Time{}
	check("silent again, seen once", 0)
	check("silent for longer", 1)
}
