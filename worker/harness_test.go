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
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// leeway is how many times as long as it is meant to take something may take
// in a test: the tests of other packages run on the same few cores.
const leeway = 3

// harness is what a test sees of a Redis beside its workers: records, tasks and
// events, and the keys beneath.
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

func (l *harness) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// record makes the record of a job without its task, as a producer leaves it
// that dies between the two.
func (l *harness) record(j tasks.Job, id string) (tasks.Kind, []byte) {
	l.t.Helper()
	k, err := tasks.Lookup(j.Kind())
	l.must(err)
	payload, err := json.Marshal(j)
	l.must(err)
	_, err = l.store.Create(l.t.Context(), queue.NewJob{
		ID:      id,
		Kind:    k.Name,
		Payload: payload,
		Queue:   j.JobTerms().Priority.Queue(k.Policy.Queue),
	})
	l.must(err)
	return k, payload
}

// put enqueues a job.
func (l *harness) put(j tasks.Job, id string) {
	l.t.Helper()
	l.record(j, id)
	l.enqueue(j, asynqtask.JobRef{Job: id})
}

// enqueue enqueues a task of a job, and nothing else.
func (l *harness) enqueue(j tasks.Job, ref asynqtask.JobRef, options ...asynq.Option) {
	l.t.Helper()
	k, err := tasks.Lookup(j.Kind())
	l.must(err)
	payload, err := json.Marshal(j)
	l.must(err)
	l.must(l.tasks.EnqueueJob(l.t.Context(), asynqtask.Job{
		Kind:    k,
		Ref:     ref,
		Queue:   j.JobTerms().Priority.Queue(k.Policy.Queue),
		Payload: payload,
	}, options...))
}

func (l *harness) status(id string) tasks.Status {
	l.t.Helper()
	s, err := l.store.Status(l.t.Context(), id)
	l.must(err)
	return s
}

// ended waits for the end of a job.
func (l *harness) ended(id string, limit time.Duration) (s tasks.Status) {
	l.t.Helper()
	queuetest.Eventually(l.t, limit, id+" ends", func() bool {
		s = l.status(id)
		return s.State.Final()
	})
	return s
}

// reaches waits for a state of a job.
func (l *harness) reaches(id string, state tasks.State, limit time.Duration) {
	l.t.Helper()
	queuetest.Eventually(l.t, limit, fmt.Sprintf("%s is %s", id, state), func() bool { return l.status(id).State == state })
}

func (l *harness) cancel(id string) tasks.State {
	l.t.Helper()
	result, err := l.store.Cancel(l.t.Context(), id, time.Hour)
	l.must(err)
	return result.State
}

// task is the state of a task, 0 when asynq does not have it.
func (l *harness) task(name, id string) asynq.TaskState {
	l.t.Helper()
	info, err := l.inspector.GetTaskInfo(name, id)
	if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
		return 0
	}
	l.must(err)
	return info.State
}

// taskIs waits for the state of a task.
func (l *harness) taskIs(name, id string, limit time.Duration, states ...asynq.TaskState) {
	l.t.Helper()
	queuetest.Eventually(l.t, limit, fmt.Sprintf("task %s is %v", id, states), func() bool {
		now := l.task(name, id)
		for _, s := range states {
			if now == s {
				return true
			}
		}
		return false
	})
}

// orphan makes a pending task one that asynq takes for active although no
// worker has it and no lease runs out: asynq itself never looks at it again.
func (l *harness) orphan(name, id string) {
	l.t.Helper()
	ctx, at := l.t.Context(), "asynq:{"+name+"}:"
	n, err := l.redis.LRem(ctx, at+"pending", 1, id).Result()
	if err != nil || n != 1 {
		l.t.Fatalf("%s is not pending: %d, %v", id, n, err)
	}
	l.must(l.redis.LPush(ctx, at+"active", id).Err())
	l.must(l.redis.HSet(ctx, at+"t:"+id, "state", "active").Err())
}

// silence makes a job's coordinator one that has not been heard of for a
// minute.
func (l *harness) silence(id string) {
	l.t.Helper()
	l.must(l.redis.HSet(l.t.Context(), "stevedore:{"+id+"}:job", "beat", time.Now().Add(-time.Minute).UnixMilli()).Err())
}

// field is a field of a job's record.
func (l *harness) field(id, name string) string { return l.hash("stevedore:{"+id+"}:job", name) }

// run is a field of what is known of a job's shards under way, for example
// "7:g".
func (l *harness) run(id, name string) string { return l.hash("stevedore:{"+id+"}:runs", name) }

func (l *harness) hash(key, field string) string {
	l.t.Helper()
	v, err := l.redis.HGet(l.t.Context(), key, field).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		l.t.Fatal(err)
	}
	return v
}

// events are all events of a job so far.
func (l *harness) events(id string) (events []tasks.Event) {
	l.t.Helper()
	entries, err := l.redis.XRange(l.t.Context(), queue.EventsStream, "-", "+").Result()
	l.must(err)
	for _, m := range entries {
		e, err := queue.DecodeEvent(m)
		l.must(err)
		if e.Job == id {
			events = append(events, e.Event)
		}
	}
	return events
}

// final checks that a job has one last event, of a type and with the ID that
// follows from its round, and returns how often it was sent: once, unless two
// workers ended the job at once.
func (l *harness) final(id string, round int, want tasks.EventType) (times int) {
	l.t.Helper()
	of := fmt.Sprintf("%s/%d/", id, round)
	last := func(e tasks.Event) bool { return e.Type.Final() && strings.HasPrefix(e.ID, of) }
	var all []tasks.Event
	queuetest.Eventually(l.t, 15*time.Second, "the last event of "+of, func() bool {
		all = l.events(id)
		return slices.ContainsFunc(all, last)
	})
	for i, e := range all {
		if !last(e) {
			continue
		}
		times++
		if e.Type != want || e.ID != queue.EventID(id, round, "end") || e.State != tasks.State(want) {
			l.t.Errorf("event %d of %s is %+v, want %s", i, id, e, want)
		}
	}
	return times
}

// planned claims a job as a coordinator that will not be heard of again, and
// plans shards of counting's.
func (l *harness) planned(j tasks.Job, id string, shards int) queue.Lease {
	l.t.Helper()
	lease := l.claim(j, id, tasks.StatePlanning)
	after := ""
	for i := range shards {
		shard := fmt.Sprintf(`{"after":%q,"through":"%d","objects":10}`, after, i)
		after = strconv.Itoa(i)
		l.must(lease.Plan(l.t.Context(), queue.PlannedShard{
			Index:   i,
			Shard:   []byte(shard),
			Cursor:  after,
			Objects: 10,
		}))
	}
	l.must(lease.Advance(l.t.Context(), tasks.StatePlanning, tasks.StateRunning))
	return lease
}

// claim claims a job as a worker that will send no heartbeat.
func (l *harness) claim(j tasks.Job, id string, first tasks.State) queue.Lease {
	l.t.Helper()
	k, payload := l.record(j, id)
	lease, err := l.store.Claim(l.t.Context(), queue.ClaimRequest{
		Ref:     asynqtask.JobRef{Job: id},
		Kind:    k.Name,
		Payload: payload,
		Queue:   k.Policy.Queue,
		First:   first,
	})
	l.must(err)
	return lease
}

// startShard starts a run of a shard that will send no further heartbeat.
func (l *harness) startShard(ref asynqtask.ShardRef) queue.ShardLease {
	l.t.Helper()
	lease, err := l.store.StartShard(l.t.Context(), ref)
	l.must(err)
	if !lease.Wanted {
		l.t.Fatalf("%+v is not wanted", ref)
	}
	return lease
}

// commit commits a checkpoint that must count.
func (l *harness) commit(lease queue.ShardLease, c queue.Checkpoint) {
	l.t.Helper()
	counted, err := lease.Commit(l.t.Context(), c)
	if err != nil || !counted {
		l.t.Fatal(counted, err)
	}
}

// crash notes that a worker died at a shard.
func (l *harness) crash(lease queue.Lease, shard int) {
	l.t.Helper()
	s, err := lease.Heartbeat(l.t.Context(), queue.ProgressReport{Total: -1})
	l.must(err)
	ok, err := lease.ReplaceShard(l.t.Context(), shard, s.Shards[shard], true)
	if err != nil || !ok {
		l.t.Fatal(ok, err)
	}
}

// count adds up the series of a metric that have a label's value, in several
// registries.
func count(t testing.TB, name, label, value string, registries ...prometheus.Registerer) (total float64) {
	t.Helper()
	for _, r := range registries {
		families, err := r.(*prometheus.Registry).Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if f.GetName() == "stevedore_"+name && l.GetName() == label && l.GetValue() == value {
						total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
					}
				}
			}
		}
	}
	return total
}
