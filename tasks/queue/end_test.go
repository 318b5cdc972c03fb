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
)

func jobKeys(t *testing.T, r room, id string) (names []string) {
	t.Helper()
	for _, k := range keys(t, r.client) {
		if name, found := strings.CutPrefix(k, "stevedore:{"+id+"}:"); found {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// lived is a job that has left something in each of its keys.
func lived(t *testing.T, r room, id string) queue.Claim {
	t.Helper()
	c := planned(t, r, id, 2)
	commit(t, r, ref(id, 0), whole("data", 1))
	start(t, r, ref(id, 1))
	if all := jobKeys(t, r, id); len(all) != 7 {
		t.Fatalf("a job under way has %v", all)
	}
	return c
}

// left checks what stays of a job that has ended: the record and the errors,
// for a while.
func left(t *testing.T, r room, id string) {
	t.Helper()
	same(t, "keys after the end", jobKeys(t, r, id), []string{"errors", "job"})
	for _, name := range []string{"errors", "job"} {
		if ttl := r.client.TTL(t.Context(), "stevedore:{"+id+"}:"+name).Val(); ttl < 50*time.Minute || ttl > time.Hour {
			t.Errorf("%s stays for %v", name, ttl)
		}
	}
	if tracked(t, r, id) || field(t, r, id, "outbox") != "" {
		t.Error("a job whose end is told is still looked after")
	}
}

func TestPublishEndsTheJobOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := lived(t, r, "j")
		must[queue.View](t)(r.Look(t.Context(), c, queue.Shown{Objects: 15, Failed: 3, Total: -1, Rate: 2, ETASeconds: 4}))
		succeed(t, r, c)
		ok(t, r.Publish(t.Context(), c, queue.End{Failure: &tasks.Failure{Kind: "late"}, Keep: 2 * time.Hour}))
		left(t, r, "j")
		s := status(t, r, "j")
		if s.State != tasks.StateSucceeded || string(s.Result) != `{"n":1}` || s.Failure != nil || s.Finished.IsZero() || s.Started.IsZero() {
			t.Errorf("%+v", s)
		}
		want := tasks.Progress{Objects: 10, ObjectsTotal: 20, Bytes: 100, Failed: 1, Shards: 1, ShardsTotal: 2, Codes: map[string]int64{"corrupt-image": 1}}
		same(t, "progress", s.Progress, want)
		e := events(t, r)
		if len(e) != 1 {
			t.Fatalf("events %+v", e)
		}
		e[0].Time = time.Time{}
		same(t, "event", e[0], tasks.Event{
			ID: "j/0/end", Type: tasks.EventSucceeded, Job: "j", Kind: kind, State: tasks.StateSucceeded, Progress: want,
		})
		if again := begin(t, r, "j"); !again.Over || again.State != tasks.StateSucceeded || tracked(t, r, "j") {
			t.Errorf("a job that has ended began again: %+v", again)
		}
	})
}

func TestFailureIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		f := &tasks.Failure{Kind: "denied", Code: "AccessDenied", Message: "list a: denied", Fix: "allow it"}
		ok(t, r.Publish(t.Context(), lived(t, r, "j"), queue.End{Failure: f, Keep: time.Hour}))
		left(t, r, "j")
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
	onEach(t, func(t *testing.T, r room) {
		c := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j"}, "export-annotations", nil, tasks.StateRunning))
		list := append(lines(queue.ErrorsKept), lines(5)...)
		p := tasks.Progress{Objects: 20_000, ObjectsTotal: 20_000, Bytes: 7, Failed: int64(len(list))}
		ok(t, r.Publish(t.Context(), c, queue.End{Result: []byte("{}"), Counts: &p, Errors: list, Keep: time.Hour}))
		left(t, r, "j")
		p.Codes = map[string]int64{"corrupt-image": int64(len(list))}
		same(t, "progress", status(t, r, "j").Progress, p)
		same(t, "progress of the event", events(t, r)[0].Progress, p)
		if n := len(collect(t, r.Errors(t.Context(), "j"))); n != queue.ErrorsKept {
			t.Errorf("%d lines kept", n)
		}
	})
}

// lost loses the stream, as when the process dies between the end of a job
// and its event.
type lost struct{ on *bool }

func (lost) DialHook(next redis.DialHook) redis.DialHook { return next }

func (lost) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h lost) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if *h.on && cmd.Name() == "xadd" {
			return errors.New("lost")
		}
		return next(ctx, cmd)
	}
}

func TestLastEventIsSentByWhoeverComesNext(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c, on := planned(t, r, "j", 1), true
		r.client.AddHook(lost{&on})
		if err := r.Publish(t.Context(), c, queue.End{Result: []byte("{}"), Keep: time.Hour}); err == nil {
			t.Fatal("a lost event was not noticed")
		}
		on = false
		if p := must[queue.Pulse](t)(r.Pulse(t.Context(), "j")); !p.Unsent || !tracked(t, r, "j") || len(events(t, r)) != 0 {
			t.Errorf("nobody will send it: %+v", p)
		}
		outbox := field(t, r, "j", "outbox")
		for range 2 {
			ok(t, r.Flush(t.Context(), "j"))
		}
		if p := must[queue.Pulse](t)(r.Pulse(t.Context(), "j")); p.Unsent || tracked(t, r, "j") || len(events(t, r)) != 1 {
			t.Errorf("%+v, %d events", p, len(events(t, r)))
		}
		// Dead after the event, before the outbox was empty.
		ok(t, r.client.HSet(t.Context(), "stevedore:{j}:job", "outbox", outbox).Err())
		ok(t, r.Flush(t.Context(), "j"))
		if e := events(t, r); len(e) != 2 || e[0].ID != e[1].ID || !e[0].Type.Final() {
			t.Errorf("events %+v", e)
		}
	})
}

func TestFlushKeepsARunningJobTracked(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		planned(t, r, "j", 1)
		ok(t, r.Flush(t.Context(), "j"))
		if !tracked(t, r, "j") {
			t.Error("nobody looks after a running job any more")
		}
		must[queue.Existing](t)(r.Create(t.Context(), "gone", kind, nil))
		ok(t, r.client.Del(t.Context(), "stevedore:{gone}:job").Err())
		ok(t, r.Flush(t.Context(), "gone"))
		if tracked(t, r, "gone") {
			t.Error("a job without a record is looked after for ever")
		}
	})
}

func TestCancelInEveryState(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		for _, s := range []tasks.State{tasks.StateQueued, tasks.StatePlanning, tasks.StateRunning, tasks.StateFinishing} {
			id := string(s)
			var c queue.Claim
			if s == tasks.StateQueued {
				must[queue.Existing](t)(r.Create(t.Context(), id, kind, nil))
			} else {
				c = lived(t, r, id)
			}
			if s != tasks.StateQueued && s != tasks.StatePlanning {
				ok(t, r.Step(t.Context(), c, tasks.StatePlanning, s))
			}
			if had := must[tasks.State](t)(r.Cancel(t.Context(), id, time.Hour)); had != s {
				t.Errorf("%s: it had the state %q", s, had)
			}
			if s != tasks.StateQueued {
				left(t, r, id)
				if _, err := r.Look(t.Context(), c, queue.Shown{}); !errors.Is(err, queue.ErrFenced) {
					t.Errorf("%s: its coordinator goes on: %v", s, err)
				}
			}
			if st := status(t, r, id); st.State != tasks.StateCancelled || st.Finished.IsZero() || !begin(t, r, id).Over {
				t.Errorf("%s: %+v", s, st)
			}
		}
		for _, e := range events(t, r) {
			if e.Type != tasks.EventCancelled || e.ID != e.Job+"/0/end" {
				t.Errorf("%+v", e)
			}
		}
		if n := len(events(t, r)); n != 4 {
			t.Errorf("%d events of 4 jobs", n)
		}
	})
}

func TestCancelOfAnEndedJobChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		succeed(t, r, lived(t, r, "j"))
		lived(t, r, "k")
		var had [4]tasks.State
		atOnce(len(had), func(i int) { had[i], _ = r.Cancel(t.Context(), "k", time.Hour) })
		slices.Sort(had[:])
		same(t, "four callers at once", had, [4]tasks.State{"cancelled", "cancelled", "cancelled", "planning"})
		before := state(t, r)
		for id, want := range map[string]tasks.State{"j": tasks.StateSucceeded, "k": tasks.StateCancelled} {
			if had := must[tasks.State](t)(r.Cancel(t.Context(), id, 2*time.Hour)); had != want {
				t.Errorf("%s had the state %q", id, had)
			}
		}
		if d := difference(before, state(t, r)); d != "" {
			t.Errorf("changed:%s", d)
		}
		left(t, r, "j")
	})
}
