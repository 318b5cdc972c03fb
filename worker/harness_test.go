package worker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// leeway multiplies how long things may take in a test: the tests of
// other packages run on the same few cores.
const leeway = 3

// harness gives a test access to the Redis of its workers: to records,
// tasks and events, and to the keys below them.
type harness struct {
	t         testing.TB
	redis     redis.UniversalClient
	store     queue.Store
	tasks     asynqtask.Client
	inspector *asynq.Inspector
}

func newHarness(t testing.TB, o redisconn.Options) *harness {
	t.Helper()
	r := o.Client()
	t.Cleanup(func() { _ = r.Close() })
	return &harness{
		t:         t,
		redis:     r,
		store:     queue.NewStore(r),
		tasks:     asynqtask.NewClient(r, r),
		inspector: asynq.NewInspectorFromRedisClient(r),
	}
}

func (h *harness) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// createRecord makes the record of a job, but no task. That is what a
// producer leaves behind if it dies between the two steps.
func (h *harness) createRecord(j tasks.Job, id string) (tasks.Kind, []byte) {
	h.t.Helper()
	k, err := tasks.Lookup(j.Kind())
	h.must(err)
	payload, err := json.Marshal(j)
	h.must(err)
	_, err = h.store.Create(h.t.Context(), queue.NewJob{
		ID:      id,
		Kind:    k.Name,
		Payload: payload,
		Queue:   j.JobTerms().Priority.Queue(k.Policy.Queue),
	})
	h.must(err)
	return k, payload
}

// submit enqueues a job as a producer does.
func (h *harness) submit(j tasks.Job, id string) {
	h.t.Helper()
	h.createRecord(j, id)
	h.enqueueTask(j, asynqtask.JobRef{Job: id})
}

// enqueueTask enqueues a task of a job, but makes no record.
func (h *harness) enqueueTask(j tasks.Job, ref asynqtask.JobRef) { h.enqueueLater(j, ref, 0) }

// enqueueLater is enqueueTask for a task that waits.
func (h *harness) enqueueLater(j tasks.Job, ref asynqtask.JobRef, wait time.Duration) {
	h.t.Helper()
	k, err := tasks.Lookup(j.Kind())
	h.must(err)
	payload, err := json.Marshal(j)
	h.must(err)
	h.must(h.tasks.EnqueueJob(h.t.Context(), asynqtask.Job{
		Kind:    k,
		Ref:     ref,
		Queue:   j.JobTerms().Priority.Queue(k.Policy.Queue),
		Payload: payload,
		Wait:    wait,
	}))
}

func (h *harness) status(id string) tasks.Status {
	h.t.Helper()
	s, err := h.store.Status(h.t.Context(), id)
	h.must(err)
	return s
}

// waitForEnd waits for the end of a job.
func (h *harness) waitForEnd(id string, limit time.Duration) (s tasks.Status) {
	h.t.Helper()
	queuetest.Eventually(h.t, limit, id+" ends", func() bool {
		s = h.status(id)
		return s.State.Final()
	})
	return s
}

// waitForState waits until a job is in a state.
func (h *harness) waitForState(id string, state tasks.State, limit time.Duration) {
	h.t.Helper()
	queuetest.Eventually(h.t, limit, fmt.Sprintf("%s is %s", id, state), func() bool {
		return h.status(id).State == state
	})
}

// cancel cancels a job and returns the state that it had.
func (h *harness) cancel(id string) tasks.State {
	h.t.Helper()
	result, err := h.store.Cancel(h.t.Context(), id, time.Hour)
	h.must(err)
	return result.State
}

// taskState returns the state of a task. It is 0 if asynq does not have
// the task.
func (h *harness) taskState(name, id string) asynq.TaskState {
	h.t.Helper()
	info, err := h.inspector.GetTaskInfo(name, id)
	if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
		return 0
	}
	h.must(err)
	return info.State
}

// waitForTask waits until a task is in one of some states.
func (h *harness) waitForTask(name, id string, limit time.Duration, states ...asynq.TaskState) {
	h.t.Helper()
	queuetest.Eventually(h.t, limit, fmt.Sprintf("task %s is %v", id, states), func() bool {
		return slices.Contains(states, h.taskState(name, id))
	})
}

// abandonTask makes a pending task look active, although no worker has
// it and no lease expires. asynq itself never looks at such a task
// again.
func (h *harness) abandonTask(name, id string) {
	h.t.Helper()
	ctx, at := h.t.Context(), "asynq:{"+name+"}:"
	n, err := h.redis.LRem(ctx, at+"pending", 1, id).Result()
	if err != nil || n != 1 {
		h.t.Fatalf("%s is not pending: %d, %v", id, n, err)
	}
	h.must(h.redis.LPush(ctx, at+"active", id).Err())
	h.must(h.redis.HSet(ctx, at+"t:"+id, "state", "active").Err())
}

// makeSilent makes the last heartbeat of a job's coordinator a minute
// old.
func (h *harness) makeSilent(id string) {
	h.t.Helper()
	h.setRecordTime(id, "beat", time.Now().Add(-time.Minute))
}

// setRecordTime sets a field of a job's record to a time.
func (h *harness) setRecordTime(id, name string, to time.Time) {
	h.t.Helper()
	h.must(h.redis.HSet(h.t.Context(), "stevedore:{"+id+"}:job", name, to.UnixMilli()).Err())
}

// recordField reads a field of a job's record.
func (h *harness) recordField(id, name string) string { return h.hash("stevedore:{"+id+"}:job", name) }

// runField reads a field of a job's shards under way, for example
// "7:g".
func (h *harness) runField(id, name string) string { return h.hash("stevedore:{"+id+"}:runs", name) }

func (h *harness) hash(key, field string) string {
	h.t.Helper()
	v, err := h.redis.HGet(h.t.Context(), key, field).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		h.t.Fatal(err)
	}
	return v
}

// events returns all events of a job so far.
func (h *harness) events(id string) (events []tasks.Event) {
	h.t.Helper()
	entries, err := h.redis.XRange(h.t.Context(), queue.EventsStream, "-", "+").Result()
	h.must(err)
	for _, m := range entries {
		e, err := queue.DecodeEvent(m)
		h.must(err)
		if e.Job == id {
			events = append(events, e.Event)
		}
	}
	return events
}

// checkEndEvent checks that a job has one last event in a round, of a
// type and with the ID of that round. It returns how often the event
// was sent: once, unless two workers ended the job at once.
func (h *harness) checkEndEvent(id string, round int, want tasks.EventType) (times int) {
	h.t.Helper()
	prefix := fmt.Sprintf("%s/%d/", id, round)
	last := func(e tasks.Event) bool { return e.Type.Final() && strings.HasPrefix(e.ID, prefix) }
	var all []tasks.Event
	queuetest.Eventually(h.t, 15*time.Second, "the last event of "+prefix, func() bool {
		all = h.events(id)
		return slices.ContainsFunc(all, last)
	})
	for i, e := range all {
		if !last(e) {
			continue
		}
		times++
		if e.Type != want || e.ID != queue.EventID(id, round, "end") || e.State != tasks.State(want) {
			h.t.Errorf("event %d of %s is %+v, want %s", i, id, e, want)
		}
	}
	return times
}

// claimPlanned claims a job as a coordinator that will send no
// heartbeat, and plans the shards of a countingJob.
func (h *harness) claimPlanned(j tasks.Job, id string, shards int) queue.Lease {
	h.t.Helper()
	lease := h.claim(j, id, tasks.StatePlanning)
	h.planShards(lease, shards)
	h.must(lease.Advance(h.t.Context(), tasks.StatePlanning, tasks.StateRunning))
	return lease
}

// planShards plans the first shards of a countingJob.
func (h *harness) planShards(lease queue.Lease, shards int) {
	h.t.Helper()
	after := ""
	for i := range shards {
		shard := fmt.Sprintf(`{"after":%q,"through":"%d","objects":10}`, after, i)
		after = strconv.Itoa(i)
		h.must(lease.Plan(h.t.Context(), queue.PlannedShard{
			Index:   i,
			Shard:   []byte(shard),
			Cursor:  after,
			Objects: 10,
		}))
	}
}

// claim claims a job as a coordinator that will send no heartbeat.
func (h *harness) claim(j tasks.Job, id string, first tasks.State) queue.Lease {
	h.t.Helper()
	k, payload := h.createRecord(j, id)
	lease, err := h.store.Claim(h.t.Context(), queue.ClaimRequest{
		Ref:     asynqtask.JobRef{Job: id},
		Kind:    k.Name,
		Payload: payload,
		Queue:   k.Policy.Queue,
		First:   first,
	})
	h.must(err)
	return lease
}

// startShard starts a run of a shard that will send no further
// heartbeat.
func (h *harness) startShard(ref asynqtask.ShardRef) queue.ShardLease {
	h.t.Helper()
	lease, err := h.store.StartShard(h.t.Context(), ref)
	h.must(err)
	if !lease.Wanted {
		h.t.Fatalf("%+v is not wanted", ref)
	}
	return lease
}

// commit commits a checkpoint that must count.
func (h *harness) commit(lease queue.ShardLease, c queue.Checkpoint) {
	h.t.Helper()
	counted, err := lease.Commit(h.t.Context(), c)
	if err != nil || !counted {
		h.t.Fatalf("the checkpoint counted: %v, %v", counted, err)
	}
}

// recordCrash records that a worker died at a shard.
func (h *harness) recordCrash(lease queue.Lease, shard int) {
	h.t.Helper()
	s, err := lease.Heartbeat(h.t.Context(), queue.ProgressReport{Total: -1})
	h.must(err)
	ok, err := lease.ReplaceShard(h.t.Context(), shard, s.Shards[shard], true)
	if err != nil || !ok {
		h.t.Fatalf("the shard was replaced: %v, %v", ok, err)
	}
}

// waitForEmptyQueue waits until a queue has no task in any state.
func (h *harness) waitForEmptyQueue(name string) {
	h.t.Helper()
	queuetest.Eventually(h.t, 10*time.Second, "the queue "+name+" is empty", func() bool {
		q, err := h.inspector.GetQueueInfo(name)
		return err == nil && q.Size == 0
	})
}
