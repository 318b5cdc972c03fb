package queue_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

func TestCreateTakesTheIDOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		for _, payload := range []string{"first", "second"} {
			c := must[queue.CreateResult](t)(r.Create(t.Context(), queue.NewJob{
				ID: "j", Kind: kind, Payload: []byte(payload), Queue: "queue of the " + payload,
			}))
			same(t, "record", c, queue.CreateResult{
				Kind: kind, Payload: []byte("first"), State: tasks.StateQueued, Queue: "queue of the first",
			})
		}
		ttl := func() time.Duration { return r.client.TTL(t.Context(), schema.RecordKey("j")).Val() }
		if !tracked(t, r, "j") || ttl() <= 0 {
			t.Error("a queued job is not tracked, or its record stays for ever if no worker comes")
		}
		claim(t, r, "j")
		if ttl() > 0 {
			t.Error("the record of a job under way expires")
		}
	})
}

// What a later call makes up for goes through the prompt client. What must
// not be lost goes through the first one.
func TestWithPrompt(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		prompt := redis.NewClient(r.client.(*redis.Client).Options())
		t.Cleanup(func() { _ = prompt.Close() })
		s := r.WithPrompt(prompt)
		planned(t, r, "j", 1)
		l := must[queue.Lease](t)(s.Claim(t.Context(), queue.ClaimRequest{Ref: asynqtask.JobRef{Job: "j"}, Kind: kind}))
		run := must[queue.ShardLease](t)(s.StartShard(t.Context(), ref("j", 0)))
		var patientCalls, promptCalls int
		r.client.AddHook(countCalls{&patientCalls})
		prompt.AddHook(countCalls{&promptCalls})

		heartbeat(t, l)
		must[bool](t)(s.HeartbeatShards(t.Context(), "j", 0, nil))
		ok(t, s.Emit(t.Context(), tasks.Event{Job: "j"}))
		must[string](t)(s.Caps().Acquire(t.Context(), []caps.Cap{{Name: "c", Limit: 1}}, "j"))
		must[queue.JobHealth](t)(s.Reaper().Inspect(t.Context(), "j"))
		if patientCalls != 0 || promptCalls < 5 {
			t.Errorf("%d calls of the patient client, %d of the prompt one", patientCalls, promptCalls)
		}
		promptCalls = 0
		must[bool](t)(run.Commit(t.Context(), whole("x", 0)))
		must[tasks.Status](t)(s.Status(t.Context(), "j"))
		succeed(t, l)
		if promptCalls != 0 || patientCalls < 4 {
			t.Errorf("%d calls of the patient client, %d of the prompt one", patientCalls, promptCalls)
		}
	})
}

// The payload is not sent again to a record that has it.
func TestClaimSendsThePayloadOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		must[queue.CreateResult](t)(r.Create(t.Context(), queue.NewJob{ID: "j", Kind: kind, Payload: []byte("a"), Queue: "q"}))
		for _, c := range []struct{ job, payload, want, queue, wantQueue string }{
			{"j", "b", "a", "", "q"},
			{"j", "b", "a", "r", "r"},
			{"foreign", "c", "c", "s", "s"},
			{"empty", "", "", "", ""},
		} {
			l := must[queue.Lease](t)(r.Claim(t.Context(), queue.ClaimRequest{
				Ref: asynqtask.JobRef{Job: c.job}, Kind: kind, Payload: []byte(c.payload), Queue: c.queue, First: tasks.StateRunning,
			}))
			h := inspect(t, r, c.job)
			payload := must[[]byte](t)(r.Reaper().Payload(t.Context(), c.job))
			if l.Over || l.State != tasks.StateRunning || string(payload) != c.want || h.Queue != c.wantQueue {
				t.Errorf("%+v: %+v, %+v", c, l, h)
			}
		}
	})
}

func TestPlanSurvivesRepetitionAndRestart(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 3)
		ok(t, l.Plan(t.Context(), shard(2)))
		if err := l.Plan(t.Context(), shard(4)); err == nil || errors.Is(err, queue.ErrFenced) {
			t.Errorf("a shard out of order: %v", err)
		}
		next := claim(t, r, "j")
		if next.Shards != 3 || next.Cursor != "key 2" || next.State != tasks.StatePlanning {
			t.Errorf("the next coordinator sees %+v", next)
		}
		if !next.Started.Equal(l.Started) || next.Over || next.Epoch() != l.Epoch()+1 {
			t.Errorf("the next coordinator sees %+v", next)
		}
		if p := status(t, r, "j").Progress; p.ShardsTotal != 3 || p.ObjectsTotal != 30 {
			t.Errorf("progress %+v", p)
		}
	})
}

// asynq may run a task again although the task of a later
// generation has the job. It gets nothing, and the later one
// keeps its lease.
func TestEarlierGenerationGetsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		planned(t, r, "j", 1)
		crashes := must[int](t)(r.Reaper().TakeOver(t.Context(), "j", inspect(t, r, "j"), 0))
		next := claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: 1})
		if crashes != 1 || next.Over || next.Shards != 1 {
			t.Errorf("%d crashes, next %+v", crashes, next)
		}
		if old := claim(t, r, "j"); !old.Over {
			t.Errorf("the first generation got the job back: %+v", old)
		}
		heartbeat(t, next)
	})
}

func TestOldCoordinatorIsFenced(t *testing.T) {
	writes := map[string]func(context.Context, queue.Lease) error{
		"plan": func(ctx context.Context, l queue.Lease) error { return l.Plan(ctx, shard(1)) },
		"advance": func(ctx context.Context, l queue.Lease) error {
			return l.Advance(ctx, tasks.StatePlanning, tasks.StateRunning)
		},
		"heartbeat": func(ctx context.Context, l queue.Lease) error {
			return second(l.Heartbeat(ctx, queue.ProgressReport{}))
		},
		"publish": func(ctx context.Context, l queue.Lease) error {
			return l.Publish(ctx, queue.End{Result: []byte("{}"), Keep: time.Hour})
		},
		"suspend": func(ctx context.Context, l queue.Lease) error { return l.Suspend(ctx, time.Minute) },
		"replace": func(ctx context.Context, l queue.Lease) error {
			return second(l.ReplaceShard(ctx, 0, queue.ShardState{}, true))
		},
	}
	onEach(t, func(t *testing.T, r testStore) {
		replaced, cancelled := planned(t, r, "replaced", 1), planned(t, r, "cancelled", 1)
		ended, retried := planned(t, r, "ended", 1), planned(t, r, "retried", 1)
		claim(t, r, "replaced")
		cancel(t, r, "cancelled")
		succeed(t, ended)
		commit(t, r, ref("retried", 0), whole("", 1))
		succeed(t, retried)
		retry(t, r, "retried", 1)

		before := state(t, r)
		for name, write := range writes {
			for _, l := range []queue.Lease{replaced, cancelled, ended, retried} {
				err := write(t.Context(), l)
				harmless := l.ID == "ended" && (name == "publish" || name == "heartbeat")
				if !harmless && !errors.Is(err, queue.ErrFenced) || harmless && err != nil {
					t.Errorf("%s by the coordinator of the job that was %s: %v", name, l.ID, err)
				}
			}
		}
		if d := difference(before, state(t, r)); d != "" {
			t.Errorf("they wrote:%s", d)
		}
	})
}

// A caller that cannot reach Redis must try again. One that is
// fenced must stop.
func TestOutageIsNotAFence(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	r := open(t, server.Options())
	l, run := planned(t, r, "j", 1), queue.RunOf(r.Store, ref("j", 0), "run")
	server.Down()
	calls := map[string]func(context.Context) error{
		"create": func(ctx context.Context) error { return second(r.Create(ctx, queue.NewJob{ID: "k", Kind: kind})) },
		"claim": func(ctx context.Context) error {
			return second(r.Claim(ctx, queue.ClaimRequest{Ref: asynqtask.JobRef{Job: "k"}, Kind: kind}))
		},
		"plan":      func(ctx context.Context) error { return l.Plan(ctx, shard(1)) },
		"advance":   func(ctx context.Context) error { return l.Advance(ctx, tasks.StatePlanning, tasks.StateRunning) },
		"heartbeat": func(ctx context.Context) error { return second(l.Heartbeat(ctx, queue.ProgressReport{})) },
		"suspend":   func(ctx context.Context) error { return l.Suspend(ctx, 0) },
		"replace":   func(ctx context.Context) error { return second(l.ReplaceShard(ctx, 0, queue.ShardState{}, true)) },
		"careful":   l.BeginCareful,
		"publish":   func(ctx context.Context) error { return l.Publish(ctx, queue.End{}) },
		"totals":    func(ctx context.Context) error { return second(l.Totals(ctx)) },

		"start":            func(ctx context.Context) error { return second(r.StartShard(ctx, ref("j", 0))) },
		"commit":           func(ctx context.Context) error { return second(run.Commit(ctx, whole("", 0))) },
		"heartbeat shards": func(ctx context.Context) error { return second(r.HeartbeatShards(ctx, "j", 0, nil)) },
		"suspend shard":    func(ctx context.Context) error { return run.Suspend(ctx, 0) },
		"mark suspect":     func(ctx context.Context) error { return run.MarkSuspect(ctx, "k") },
		"fail":             func(ctx context.Context) error { return run.Fail(ctx, tasks.Failure{}) },

		"status": func(ctx context.Context) error { return second(r.Status(ctx, "j")) },
		"cancel": func(ctx context.Context) error { return second(r.Cancel(ctx, "j", time.Hour)) },
		"retry":  func(ctx context.Context) error { return second(r.BeginRetry(ctx, "j", 1)) },
		"emit":   func(ctx context.Context) error { return r.Emit(ctx, tasks.Event{}) },

		"unattended": func(ctx context.Context) error { return second(r.Reaper().Unattended(ctx, 1)) },
		"inspect":    func(ctx context.Context) error { return second(r.Reaper().Inspect(ctx, "j")) },
		"take over":  func(ctx context.Context) error { return second(r.Reaper().TakeOver(ctx, "j", queue.JobHealth{}, 0)) },
		"untrack":    func(ctx context.Context) error { return r.Reaper().Untrack(ctx, "j") },
		"flush":      func(ctx context.Context) error { return r.Reaper().Flush(ctx, "j") },
		"acquire": func(ctx context.Context) error {
			return second(r.Caps().Acquire(ctx, []caps.Cap{{Name: "t", Limit: 1}}, "j"))
		},
		"renew": func(ctx context.Context) error { return r.Caps().Renew(ctx, "t", []string{"j"}) },
	}
	names := slices.Collect(maps.Keys(calls))
	atOnce(len(names), func(i int) {
		err := calls[names[i]](t.Context())
		fenced := errors.Is(err, queue.ErrFenced) || errors.Is(err, queue.ErrNoJob) || errors.Is(err, queue.ErrAlive)
		if !errors.Is(err, redisconn.ErrUnavailable) || fenced {
			t.Errorf("%s while Redis is down: %v", names[i], err)
		}
	})
	server.Up()
	next := claim(t, open(t, server.Options()), "j") // the old client remembers the outage for a moment
	if next.Over || next.Shards != 1 {
		t.Errorf("after the outage: %+v", next)
	}
}

func second[T any](_ T, err error) error { return err }

func TestUnknownJob(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		_, status := r.Status(t.Context(), "unknown")
		_, inspect := r.Reaper().Inspect(t.Context(), "unknown")
		_, cancel := r.Cancel(t.Context(), "unknown", time.Hour)
		_, retry := r.BeginRetry(t.Context(), "unknown", 1)
		for name, err := range map[string]error{
			"status": status, "inspect": inspect, "cancel": cancel, "retry": retry,
		} {
			if !errors.Is(err, queue.ErrNoJob) {
				t.Errorf("%s: %v", name, err)
			}
		}

		shard := ref("unknown", 0)
		wanted := must[bool](t)(r.HeartbeatShards(t.Context(), "unknown", 0, map[int]tasks.Progress{0: {}}))
		if wanted || start(t, r, shard).Wanted || commit(t, r, shard, whole("", 0)) {
			t.Error("a shard of no job is wanted")
		}
		suspend(t, r, shard, time.Minute)
		markSuspect(t, r, shard, "k")
		ok(t, queue.RunOf(r.Store, shard, "run").Fail(t.Context(), tasks.Failure{}))
		if all := keys(t, r.client); len(all) != 1 || all[0] != schema.ActiveKey {
			t.Errorf("left behind: %v", all)
		}
	})
}
