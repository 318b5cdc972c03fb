package turns_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

const queueName = "shards"

// fixture is a queue of asynq, and the package under test.
type fixture struct {
	t         *testing.T
	redis     redis.UniversalClient
	client    *asynq.Client
	inspector *asynq.Inspector
	*turns.Queues
}

func newFixture(t *testing.T, o redisconn.Options) fixture {
	t.Helper()
	r := o.Client()
	t.Cleanup(func() { _ = r.Close() })
	return fixture{t, r, asynq.NewClientFromRedisClient(r), asynq.NewInspectorFromRedisClient(r), turns.New(r)}
}

// onEach runs a test on each kind of Redis.
func onEach(t *testing.T, test func(fixture)) {
	t.Helper()
	t.Parallel()
	servers := queuetest.Servers()
	servers["sentinel"] = queuetest.StartSentinel
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newFixture(t, start(t)))
		})
	}
}

// enqueue enqueues tasks of a tenant.
func (f fixture) enqueue(tenant string, ids ...string) {
	f.t.Helper()
	payload, err := json.Marshal(map[string]any{
		"before": map[string]string{"tenant": "nested"}, "text": `"tenant":"quoted"`, "tenant": tenant,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, id := range ids {
		_, err := f.client.EnqueueContext(f.t.Context(), asynq.NewTask("a-kind:shard", payload),
			asynq.Queue(queueName), asynq.TaskID(id), asynq.MaxRetry(3))
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// take takes a task and returns its ID. It returns "" if no task waits,
// and "held" if none is wanted.
func (f fixture) take(r turns.Request) string {
	f.t.Helper()
	r.Queue = queueName
	task, state, err := f.Take(f.t.Context(), r)
	if err != nil {
		f.t.Fatal(err)
	}
	if state == turns.Held {
		return "held"
	}
	return task.ID
}

// takeAll takes tasks until none waits.
func (f fixture) takeAll() (ids []string) {
	f.t.Helper()
	for id := f.take(turns.Request{}); id != ""; id = f.take(turns.Request{}) {
		ids = append(ids, id)
	}
	return ids
}

// end ends a task as asynq does.
func (f fixture) end(id string) {
	f.t.Helper()
	ctx, prefix := f.t.Context(), "asynq:{"+queueName+"}:"
	for _, err := range []error{
		f.redis.LRem(ctx, prefix+"active", 0, id).Err(),
		f.redis.ZRem(ctx, prefix+"lease", id).Err(),
		f.redis.Del(ctx, prefix+"t:"+id).Err(),
	} {
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// A tenant who comes late gets a turn before the first one's second
// slot. So does a small job of the same tenant.
func TestTenantsAndJobsTakeTurns(t *testing.T) {
	onEach(t, func(f fixture) {
		f.enqueue("a", "big:s:0", "big:s:1", "big:s:2", "big:s:3")
		f.enqueue("a", "small:s:0", "small:s:1")
		f.enqueue("b", "other:s:0", "other:s:1")
		same(f.t, "order", f.takeAll(), []string{
			"big:s:0", "other:s:0", "small:s:0", "other:s:1", "big:s:1", "small:s:1", "big:s:2", "big:s:3",
		})
	})
}

// With one slot nobody has a task under way when the next one is taken.
// The tenants alternate all the same, and so do the jobs of a tenant.
func TestTurnsWithOneSlot(t *testing.T) {
	onEach(t, func(f fixture) {
		f.enqueue("a", "big:s:0", "big:s:1", "big:s:2", "small:s:0", "small:s:1")
		f.enqueue("b", "other:s:0", "other:s:1")
		var order []string
		for id := f.take(turns.Request{}); id != ""; id = f.take(turns.Request{}) {
			order = append(order, id)
			f.end(id)
		}
		same(f.t, "order", order, []string{
			"big:s:0", "other:s:0", "small:s:0", "other:s:1", "big:s:1", "small:s:1", "big:s:2",
		})
	})
}

// Each job without a tenant is an owner of its own.
func TestJobsWithoutTenant(t *testing.T) {
	onEach(t, func(f fixture) {
		f.enqueue("", "one:s:0", "one:s:1", "two:s:0")
		f.enqueue("a", "three:s:0")
		same(f.t, "order", f.takeAll(), []string{"one:s:0", "two:s:0", "three:s:0", "one:s:1"})
	})
}

// What is not wanted stays, and others are taken.
func TestDeniedOwnersAndJobs(t *testing.T) {
	onEach(t, func(f fixture) {
		f.enqueue("a", "one:s:0", "two:s:0")
		f.enqueue("", "three:s:0")
		denied := []string{turns.Owner("", "three"), turns.OfJob("one")}
		same(f.t, "without a tenant and a job", f.take(turns.Request{Denied: denied}), "two:s:0")
		denied = append(denied, turns.Owner("a", "one"))
		same(f.t, "all are denied", f.take(turns.Request{Denied: denied}), "held")
		same(f.t, "used on other queues", f.take(turns.Request{Elsewhere: map[string]int{"t:a": 1}}), "three:s:0")
		same(f.t, "the rest", f.takeAll(), []string{"one:s:0"})
	})
}

// A look leaves the task. A wanted task is taken, if it is still there.
func TestLookAndTakeWhatWasSeen(t *testing.T) {
	onEach(t, func(f fixture) {
		f.enqueue("a", "one", "two")
		task, state, err := f.Take(f.t.Context(), turns.Request{Queue: queueName, Look: true})
		if err != nil || state != turns.Found || task.ID != "one" || task.Tenant != "a" ||
			task.Type != "a-kind:shard" || !json.Valid(task.Payload) {
			f.t.Errorf("%+v, %v, %v", task, state, err)
		}
		same(f.t, "wanted", f.take(turns.Request{Wanted: "two"}), "two")
		same(f.t, "wanted again", f.take(turns.Request{Wanted: "two"}), "held")
		same(f.t, "the rest", f.takeAll(), []string{"one"})
	})
}

// What is taken is in the same state as after asynq's own script. A
// paused queue gives nothing.
func TestTakenTaskIsActive(t *testing.T) {
	onEach(t, func(f fixture) {
		f.enqueue("a", "one")
		if err := f.inspector.PauseQueue(queueName); err != nil {
			f.t.Fatal(err)
		}
		same(f.t, "paused", f.take(turns.Request{}), "")
		if err := f.inspector.UnpauseQueue(queueName); err != nil {
			f.t.Fatal(err)
		}
		f.take(turns.Request{})
		info, err := f.inspector.GetTaskInfo(queueName, "one")
		if err != nil || info.State != asynq.TaskStateActive {
			f.t.Errorf("%+v, %v", info, err)
		}
		prefix := "asynq:{" + queueName + "}:"
		if n := f.redis.ZScore(f.t.Context(), prefix+"lease", "one").Val(); n == 0 {
			f.t.Error("there is no lease")
		}
		fields := f.redis.HKeys(f.t.Context(), prefix+"t:one").Val()
		if slices.Contains(fields, "pending_since") {
			f.t.Errorf("the task has %v", fields)
		}
	})
}

// Of a long queue of one tenant another one's task is found soon,
// wherever it is.
func TestTaskBehindManyOthersIsFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t, queuetest.Start(t).Options())
	const before, after = 3000, 2500
	for i := range before + after {
		if i == before {
			f.enqueue("b", "other")
		}
		f.enqueue("a", fmt.Sprint("j", i))
	}
	for i := range 30 {
		id := f.take(turns.Request{Denied: []string{turns.Owner("a", "")}})
		if id == "other" {
			t.Logf("found after %d calls", i+1)
			return
		}
	}
	t.Error("not found with 30 calls")
}

// The ID of a task that asynq has lost is skipped, and goes.
func TestLostTaskIsSkipped(t *testing.T) {
	onEach(t, func(f fixture) {
		f.enqueue("a", "lost", "next")
		f.redis.Del(f.t.Context(), "asynq:{"+queueName+"}:t:lost")
		same(f.t, "first", f.take(turns.Request{}), "held")
		same(f.t, "then", f.takeAll(), []string{"next"})
	})
}
