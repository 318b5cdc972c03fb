package queue_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

func TestCreateTakesTheIDOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		for _, payload := range []string{"first", "second"} {
			e := must[queue.Existing](t)(r.Create(t.Context(), "j", kind, []byte(payload)))
			same(t, "existing", e, queue.Existing{Kind: kind, Payload: []byte("first"), State: tasks.StateQueued})
		}
		if !tracked(t, r, "j") || r.client.TTL(t.Context(), "stevedore:{j}:job").Val() <= 0 {
			t.Error("a job that was enqueued must be looked after, and its record must not stay for ever if no worker comes")
		}
		begin(t, r, "j")
		if r.client.TTL(t.Context(), "stevedore:{j}:job").Val() > 0 {
			t.Error("the record of a job under way expires")
		}
	})
}

func TestPlanSurvivesRepetitionAndRestart(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 3)
		ok(t, r.Plan(t.Context(), c, shard(2)))
		if err := r.Plan(t.Context(), c, shard(4)); err == nil || errors.Is(err, queue.ErrFenced) {
			t.Errorf("a shard out of order: %v", err)
		}
		next := begin(t, r, "j")
		if next.Shards != 3 || next.Cursor != "key 2" || next.State != tasks.StatePlanning || !next.Started.Equal(c.Started) || next.Over {
			t.Errorf("the next coordinator sees %+v", next)
		}
		if p := status(t, r, "j").Progress; p.ShardsTotal != 3 || p.ObjectsTotal != 30 {
			t.Errorf("progress %+v", p)
		}
	})
}

// A task that asynq runs again although a later one has the job gets nothing,
// and takes the job from nobody.
func TestEarlierGenerationGetsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		planned(t, r, "j", 1)
		crashes := must[int](t)(r.TakeOver(t.Context(), "j", must[queue.Pulse](t)(r.Pulse(t.Context(), "j"))))
		heir := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j", Generation: 1}, kind, nil, tasks.StatePlanning))
		if crashes != 1 || heir.Over || heir.Shards != 1 {
			t.Errorf("crash %d, heir %+v", crashes, heir)
		}
		if old := begin(t, r, "j"); !old.Over {
			t.Errorf("the first generation got the job back: %+v", old)
		}
		look(t, r, heir) // and is not fenced
	})
}

func TestOldCoordinatorIsFenced(t *testing.T) {
	writes := map[string]func(context.Context, room, queue.Claim) error{
		"plan": func(ctx context.Context, r room, c queue.Claim) error { return r.Plan(ctx, c, shard(1)) },
		"step": func(ctx context.Context, r room, c queue.Claim) error {
			return r.Step(ctx, c, tasks.StatePlanning, tasks.StateRunning)
		},
		"look": func(ctx context.Context, r room, c queue.Claim) error {
			_, err := r.Look(ctx, c, queue.Shown{})
			return err
		},
		"publish": func(ctx context.Context, r room, c queue.Claim) error {
			return r.Publish(ctx, c, queue.End{Result: []byte("{}"), Keep: time.Hour})
		},
		"rest": func(ctx context.Context, r room, c queue.Claim) error { return r.Rest(ctx, c, time.Minute) },
		"replace": func(ctx context.Context, r room, c queue.Claim) error {
			_, err := r.Replace(ctx, c, 0, queue.Run{}, true)
			return err
		},
	}
	onEach(t, func(t *testing.T, r room) {
		replaced, cancelled, ended, again := planned(t, r, "replaced", 1), planned(t, r, "cancelled", 1), planned(t, r, "ended", 1), planned(t, r, "again", 1)
		begin(t, r, "replaced")
		must[tasks.State](t)(r.Cancel(t.Context(), "cancelled", time.Hour))
		succeed(t, r, ended)
		commit(t, r, ref("again", 0), whole("", 1))
		succeed(t, r, again)
		must[int](t)(r.Reopen(t.Context(), "again", 1))
		before := state(t, r)
		for name, write := range writes {
			for _, c := range []queue.Claim{replaced, cancelled, ended, again} {
				err := write(t.Context(), r, c)
				harmless := c.ID == "ended" && (name == "publish" || name == "look")
				if !harmless && !errors.Is(err, queue.ErrFenced) || harmless && err != nil {
					t.Errorf("%s by the coordinator of the job that was %s: %v", name, c.ID, err)
				}
			}
		}
		if d := difference(before, state(t, r)); d != "" {
			t.Errorf("they wrote:%s", d)
		}
	})
}

// Who cannot reach Redis must try again; who is fenced must let go.
func TestAwayIsNotFenced(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	r := open(t, server.Options())
	c := planned(t, r, "j", 1)
	server.Down()
	calls := map[string]func(context.Context) error{
		"create": func(ctx context.Context) error { return second(r.Create(ctx, "k", kind, nil)) },
		"begin": func(ctx context.Context) error {
			return second(r.Begin(ctx, queue.JobRef{Job: "k"}, kind, nil, tasks.StatePlanning))
		},
		"plan":    func(ctx context.Context) error { return r.Plan(ctx, c, shard(1)) },
		"step":    func(ctx context.Context) error { return r.Step(ctx, c, tasks.StatePlanning, tasks.StateRunning) },
		"look":    func(ctx context.Context) error { return second(r.Look(ctx, c, queue.Shown{})) },
		"rest":    func(ctx context.Context) error { return r.Rest(ctx, c, 0) },
		"replace": func(ctx context.Context) error { return second(r.Replace(ctx, c, 0, queue.Run{}, true)) },
		"publish": func(ctx context.Context) error { return r.Publish(ctx, c, queue.End{}) },
		"start":   func(ctx context.Context) error { return second(r.Start(ctx, ref("j", 0))) },
		"commit":  func(ctx context.Context) error { return second(r.Commit(ctx, ref("j", 0), whole("", 0))) },
		"beat":    func(ctx context.Context) error { return second(r.Beat(ctx, "j", nil)) },
		"leave":   func(ctx context.Context) error { return r.Leave(ctx, ref("j", 0), 0) },
		"at":      func(ctx context.Context) error { return r.At(ctx, ref("j", 0), "k") },
		"fail":    func(ctx context.Context) error { return r.Fail(ctx, "j", tasks.Failure{}) },
		"status":  func(ctx context.Context) error { return second(r.Status(ctx, "j")) },
		"totals":  func(ctx context.Context) error { return second(r.Totals(ctx, "j")) },
		"cancel":  func(ctx context.Context) error { return second(r.Cancel(ctx, "j", time.Hour)) },
		"reopen":  func(ctx context.Context) error { return second(r.Reopen(ctx, "j", 1)) },
		"due":     func(ctx context.Context) error { return second(r.Due(ctx, 0, 1)) },
		"pulse":   func(ctx context.Context) error { return second(r.Pulse(ctx, "j")) },
		"share": func(ctx context.Context) error {
			return second(r.Share(ctx, queue.Cap{Name: "t", Limit: 1}, "j", 0, 1))
		},
		"unshare": func(ctx context.Context) error { return r.Unshare(ctx, "t", "j") },
		"flush":   func(ctx context.Context) error { return r.Flush(ctx, "j") },
		"emit":    func(ctx context.Context) error { return r.Emit(ctx, tasks.Event{}) },
	}
	names := slices.Collect(maps.Keys(calls))
	atOnce(len(names), func(i int) {
		err := calls[names[i]](t.Context())
		if !errors.Is(err, redisconn.ErrUnavailable) || errors.Is(err, queue.ErrFenced) || errors.Is(err, queue.ErrNoJob) {
			t.Errorf("%s while Redis is away: %v", names[i], err)
		}
	})
	server.Up()
	again := open(t, server.Options())
	succeed(t, again, c) // what it had was kept
}

func second[T any](_ T, err error) error { return err }

func TestUnknownJob(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		_, status := r.Status(t.Context(), "nobody")
		_, pulse := r.Pulse(t.Context(), "nobody")
		_, cancel := r.Cancel(t.Context(), "nobody", time.Hour)
		_, reopen := r.Reopen(t.Context(), "nobody", 1)
		for name, err := range map[string]error{"status": status, "pulse": pulse, "cancel": cancel, "reopen": reopen} {
			if !errors.Is(err, queue.ErrNoJob) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if must[queue.Assignment](t)(r.Start(t.Context(), ref("nobody", 0))).Wanted || commit(t, r, ref("nobody", 0), whole("", 0)) ||
			must[bool](t)(r.Beat(t.Context(), "nobody", map[int]tasks.Progress{0: {}})) {
			t.Error("a shard of no job is wanted")
		}
		ok(t, r.Leave(t.Context(), ref("nobody", 0), time.Minute))
		ok(t, r.At(t.Context(), ref("nobody", 0), "k"))
		ok(t, r.Fail(t.Context(), "nobody", tasks.Failure{}))
		if all := keys(t, r.client); len(all) != 1 || all[0] != "stevedore:active" {
			t.Errorf("left behind: %v", all)
		}
	})
}
