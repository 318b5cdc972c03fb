package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// jobKeys returns the last parts of the names of a job's keys.
func jobKeys(t *testing.T, r testStore, id string) (names []string) {
	t.Helper()
	for _, k := range keys(t, r.client) {
		if name, found := strings.CutPrefix(k, "stevedore:{"+id+"}:"); found {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// halfDone is a job with two shards, one committed and one under
// way. It has something in each of its keys.
func halfDone(t *testing.T, r testStore, id string) queue.Lease {
	t.Helper()
	l := planned(t, r, id, 2)
	commit(t, r, ref(id, 0), whole("data", 1))
	start(t, r, ref(id, 1))
	if all := jobKeys(t, r, id); len(all) != 7 {
		t.Fatalf("a job under way has %v", all)
	}
	return l
}

// checkEnded checks what stays of a job that has ended: the
// record and the errors, for an hour.
func checkEnded(t *testing.T, r testStore, id string) {
	t.Helper()
	same(t, "keys after the end", jobKeys(t, r, id), []string{"errors", "job"})
	for _, key := range []string{schema.Errors, schema.Record} {
		if ttl := r.client.TTL(t.Context(), schema.Key(key, id)).Val(); ttl < 50*time.Minute || ttl > time.Hour {
			t.Errorf("%s stays for %v", key, ttl)
		}
	}
	if tracked(t, r, id) || field(t, r, id, schema.Outbox) != "" {
		t.Error("a job whose last event is sent is still tracked")
	}
}

func TestPublishEndsTheJobOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := halfDone(t, r, "j")
		must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{
			Objects: 15, Failed: 3, Total: -1, Rate: 2, ETASeconds: 4,
		}))
		succeed(t, l)
		ok(t, l.Publish(t.Context(), queue.End{Failure: &tasks.Failure{Kind: "late"}, Keep: 2 * time.Hour}))
		checkEnded(t, r, "j")
		s := status(t, r, "j")
		if s.State != tasks.StateSucceeded || string(s.Result) != `{"n":1}` || s.Failure != nil {
			t.Errorf("%+v", s)
		}
		if s.Finished.IsZero() || s.Started.IsZero() {
			t.Errorf("%+v", s)
		}
		want := tasks.Progress{
			Objects: 10, ObjectsTotal: 20, Bytes: 100, Failed: 1, Shards: 1, ShardsTotal: 2,
			Codes: map[string]int64{"corrupt-image": 1},
		}
		same(t, "progress", s.Progress, want)

		e := events(t, r)
		if len(e) != 1 {
			t.Fatalf("events %+v", e)
		}
		e[0].Time = time.Time{}
		same(t, "event", e[0], tasks.Event{
			ID: "j/0/end", Type: tasks.EventSucceeded, Job: "j", Kind: kind, State: tasks.StateSucceeded, Progress: want,
		})
		if again := claim(t, r, "j"); !again.Over || again.State != tasks.StateSucceeded || tracked(t, r, "j") {
			t.Errorf("a job that has ended began again: %+v", again)
		}
	})
}

func TestFailureIsInStatusAndEvent(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		f := &tasks.Failure{Kind: "denied", Code: "AccessDenied", Message: "list a: denied", Fix: "allow it"}
		ok(t, halfDone(t, r, "j").Publish(t.Context(), queue.End{Failure: f, Keep: time.Hour}))
		checkEnded(t, r, "j")
		s := status(t, r, "j")
		same(t, "failure", s.Failure, f)
		e := events(t, r)
		if s.State != tasks.StateFailed || len(e) != 1 || e[0].Type != tasks.EventFailed {
			t.Errorf("%+v, %+v", s, e)
		}
		same(t, "failure of the event", e[0].Failure, f)
	})
}

func TestSingleJobBringsItsOwnCounts(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := claimSingle(t, r, "j")
		list := append(lines(queue.ErrorsKept), lines(5)...)
		p := tasks.Progress{Objects: 20_000, ObjectsTotal: 20_000, Bytes: 7, Failed: int64(len(list))}
		ok(t, l.Publish(t.Context(), queue.End{Result: []byte("{}"), Counts: &p, Errors: list, Keep: time.Hour}))
		checkEnded(t, r, "j")
		p.Codes = map[string]int64{"corrupt-image": int64(len(list))}
		same(t, "progress", status(t, r, "j").Progress, p)
		same(t, "progress of the event", events(t, r)[0].Progress, p)
		if n := len(collect(t, r.Errors(t.Context(), "j"))); n != queue.ErrorsKept {
			t.Errorf("%d lines kept", n)
		}
	})
}

// passHook is a hook of go-redis that changes nothing.
type passHook struct{}

func (passHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (passHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (passHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// loseEvents makes events fail, as when the process dies between
// the end of a job and its event.
type loseEvents struct {
	passHook
	on *bool
}

func (h loseEvents) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if *h.on && cmd.Name() == "xadd" {
			return errors.New("lost")
		}
		return next(ctx, cmd)
	}
}

func TestLastEventIsSentLater(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l, on := planned(t, r, "j", 1), true
		r.client.AddHook(loseEvents{on: &on})
		if err := l.Publish(t.Context(), queue.End{Result: []byte("{}"), Keep: time.Hour}); err == nil {
			t.Fatal("Publish did not notice that its event was lost")
		}
		on = false
		outbox := field(t, r, "j", schema.Outbox)
		if outbox == "" || !tracked(t, r, "j") || len(events(t, r)) != 0 {
			t.Errorf("no reaper will send the event %q", outbox)
		}
		for range 2 {
			ok(t, r.Reaper().Flush(t.Context(), "j"))
		}
		if field(t, r, "j", schema.Outbox) != "" || tracked(t, r, "j") || len(events(t, r)) != 1 {
			t.Errorf("%d events", len(events(t, r)))
		}

		// A reaper died after the event, before the outbox was
		// empty.
		ok(t, r.client.HSet(t.Context(), schema.RecordKey("j"), schema.Outbox, outbox).Err())
		ok(t, r.Reaper().Flush(t.Context(), "j"))
		if e := events(t, r); len(e) != 2 || e[0].ID != e[1].ID || !e[0].Type.Final() {
			t.Errorf("events %+v", e)
		}
	})
}

func TestFlushKeepsARunningJobTracked(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		planned(t, r, "j", 1)
		ok(t, r.Reaper().Flush(t.Context(), "j"))
		if !tracked(t, r, "j") {
			t.Error("a running job is not tracked any more")
		}
		create(t, r, "gone")
		ok(t, r.client.Del(t.Context(), schema.RecordKey("gone")).Err())
		ok(t, r.Reaper().Flush(t.Context(), "gone"))
		if tracked(t, r, "gone") {
			t.Error("a job without a record is tracked for ever")
		}
	})
}

// countCalls counts round trips. A pipeline is one.
type countCalls struct{ n *int }

func (countCalls) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h countCalls) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		*h.n++
		return next(ctx, cmd)
	}
}

func (h countCalls) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		*h.n++
		return next(ctx, cmds)
	}
}

// Small jobs are many, so each round trip of their ends costs.
func TestRoundTripsOfAnEnd(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		succeed(t, planned(t, r, "warm-up", 1)) // Redis knows the scripts now
		cancel(t, r, planned(t, r, "warm-up-2", 1).ID)
		published, cancelled := planned(t, r, "published", 1), planned(t, r, "cancelled", 1)
		calls := 0
		r.client.AddHook(countCalls{&calls})
		succeed(t, published)
		if calls > 4 {
			t.Errorf("Publish made %d round trips", calls)
		}
		calls = 0
		cancel(t, r, cancelled.ID)
		if calls > 4 {
			t.Errorf("Cancel made %d round trips", calls)
		}
	})
}
