package shard

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// noMetrics counts nothing.
type noMetrics struct{}

func (noMetrics) ObjectsProcessed(journal.Labels, tasks.Progress) {}
func (noMetrics) DuplicateCommit(string)                          {}

// blockedJob is a sharded job whose shards block until their context
// ends.
type blockedJob struct{ begun chan string }

// Plan implements job.Sharded.
func (blockedJob) Plan(
	context.Context, tasks.Job, job.Env, string, func(job.Shard) error,
) error {
	return nil
}

// Work implements job.Sharded.
func (b blockedJob) Work(
	ctx context.Context, _ tasks.Job, _ job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		b.begun <- s.Through
		<-ctx.Done()
		yield(job.Item{}, ctx.Err())
	}
}

// Finish implements job.Sharded.
func (blockedJob) Finish(
	context.Context, tasks.Job, job.Env, job.Parts,
) (tasks.Result, error) {
	return nil, errors.New("not meant to finish")
}

// claimJob claims a job "j" with two planned shards.
func claimJob(t *testing.T, store queue.Store) {
	t.Helper()
	payload, err := json.Marshal(tasks.BuildManifest{
		Source: tasks.Storage{Provider: "mem", Bucket: "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := store.Claim(t.Context(), queue.ClaimRequest{
		Ref:     asynqtask.JobRef{Job: "j"},
		Kind:    "build-manifest",
		Payload: payload,
		Queue:   tasks.QueueJobs,
		First:   tasks.StateRunning,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{`{"through":"a"}`, `{"after":"a","through":"b"}`} {
		err := lease.Plan(t.Context(), queue.PlannedShard{Index: i, Shard: []byte(text), Objects: 1})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func newStore(t *testing.T) queue.Store {
	t.Helper()
	o := queuetest.Embedded(t)
	client := o.Client()
	t.Cleanup(func() { _ = client.Close() })
	return queue.NewStore(client)
}

// newRunner makes a runner that sends heartbeats very often, until the
// test ends.
func newRunner(t *testing.T, store queue.Store) *Runner {
	t.Helper()
	r := New(Config{
		Store:          store,
		Metrics:        noMetrics{},
		Log:            slog.New(slog.DiscardHandler),
		HeartbeatEvery: 10 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { r.SendHeartbeats(ctx) })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return r
}

// When a job is cancelled, the next heartbeat stops all its runs in the
// process. Then nothing is left of the job.
func TestCancelledJobStopsItsRuns(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	claimJob(t, store)
	kind, err := tasks.Lookup("build-manifest")
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(t, store)
	blocked := blockedJob{make(chan string, 2)}
	ended := make(chan error, 2)
	for shard := range 2 {
		lease, err := store.StartShard(t.Context(), asynqtask.ShardRef{Job: "j", Shard: shard})
		if err != nil || !lease.Wanted {
			t.Fatal(lease, err)
		}
		task := Task{
			Call:  call,
			Kind:  job.Kind{Kind: kind, Sharded: blocked},
			Lease: lease,
			Env:   job.Env{Log: slog.New(slog.DiscardHandler)},
		}
		go func() { ended <- r.Run(t.Context(), task) }()
	}
	queuetest.Eventually(t, 10*time.Second, "both runs have begun", func() bool {
		return len(blocked.begun) == 2
	})
	if n := len(r.heartbeats.groups()); n != 1 {
		t.Errorf("%d groups for one job", n)
	}
	if _, err := store.Cancel(t.Context(), "j", time.Hour); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, outcome.ErrObsolete) {
				t.Errorf("a run ended with %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a run has not ended")
		}
	}
	queuetest.Eventually(t, 10*time.Second, "the group is removed", func() bool {
		return len(r.heartbeats.groups()) == 0
	})
}

// The runs of a job share one decoded payload. A payload that cannot be
// decoded is tried again, and another text is another payload.
func TestPayloadIsDecodedOnce(t *testing.T) {
	t.Parallel()
	g := new(group)
	calls := 0
	decode := func(text []byte) (tasks.Job, error) {
		calls++
		if string(text) == "broken" {
			return nil, errors.New("broken")
		}
		return tasks.VerifyConnection{Storage: tasks.Storage{Bucket: string(text)}}, nil
	}
	for _, c := range []struct {
		text  string
		calls int
	}{{"broken", 1}, {"broken", 2}, {"a", 3}, {"a", 3}, {"a", 3}, {"b", 4}, {"b", 4}} {
		j, err := g.decode([]byte(c.text), decode)
		switch {
		case c.text == "broken" && err == nil, c.text != "broken" && err != nil:
			t.Errorf("%s: %v", c.text, err)
		case err == nil && j.(tasks.VerifyConnection).Storage.Bucket != c.text:
			t.Errorf("%s was decoded to %+v", c.text, j)
		}
		if calls != c.calls {
			t.Errorf("%s: decoded %d times, want %d", c.text, calls, c.calls)
		}
	}
}

// A later run of a shard replaces an earlier one in the same process.
// When the earlier one leaves, the later one still sends heartbeats.
func TestLaterRunReplacesEarlierOne(t *testing.T) {
	t.Parallel()
	h := newHeartbeats(Config{Log: slog.New(slog.DiscardHandler)})
	ref := asynqtask.ShardRef{Job: "j", Shard: 7}
	_, first := h.join(t.Context(), ref, 0)
	ctx, second := h.join(t.Context(), ref, 0)
	first.leave()
	if members := h.members(second.group); len(members) != 1 || members[0] != second {
		t.Errorf("the group has %d members", len(members))
	}
	if ctx.Err() != nil {
		t.Error("the later run was stopped")
	}
	second.leave()
	if members := h.members(second.group); ctx.Err() == nil || len(members) != 0 {
		t.Errorf("the group has %d members", len(members))
	}
}

// The shard that begins soon after the last one has ended uses the same
// group, and so the same payload. A group that stays empty is removed.
func TestNextShardFindsTheGroup(t *testing.T) {
	t.Parallel()
	h := newHeartbeats(Config{Log: slog.New(slog.DiscardHandler)})
	_, first := h.join(t.Context(), asynqtask.ShardRef{Job: "j", Shard: 1}, 0)
	first.leave()
	h.removeIdle()
	_, second := h.join(t.Context(), asynqtask.ShardRef{Job: "j", Shard: 2}, 0)
	if second.group != first.group {
		t.Error("the next shard has another group")
	}
	h.removeIdle()
	h.removeIdle()
	if n := len(h.groups()); n != 1 {
		t.Errorf("%d groups while a shard runs", n)
	}
	second.leave()
	h.removeIdle()
	h.removeIdle()
	if n := len(h.groups()); n != 0 {
		t.Errorf("%d groups are left", n)
	}
}

// An item with a line on the error list counts as failed, and as a
// warning if its line is one.
func TestRunProgressCountsWarnings(t *testing.T) {
	t.Parallel()
	var p runProgress
	p.add(job.Item{Bytes: 5})
	p.add(job.Item{Error: &tasks.ObjectError{Key: "a"}})
	p.add(job.Item{Error: &tasks.ObjectError{Key: "b", Warning: true}})
	if got, want := p.counts(), (tasks.Progress{Objects: 3, Bytes: 5, Failed: 2, Warnings: 1}); got.Objects != want.Objects ||
		got.Bytes != want.Bytes || got.Failed != want.Failed || got.Warnings != want.Warnings {
		t.Errorf("%+v, want %+v", got, want)
	}
	if p.reset(); p.counts().Warnings != 0 {
		t.Error("a reset keeps the warnings")
	}
}
