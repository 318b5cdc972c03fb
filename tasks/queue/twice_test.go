package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// sendTwice sends every script again after its answer, as
// go-redis does when the answer is lost.
type sendTwice struct {
	passHook
	sent *int
}

func (h sendTwice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if !strings.HasPrefix(cmd.Name(), "eval") || err != nil {
			return err
		}
		*h.sent++
		return next(ctx, cmd)
	}
}

func (h sendTwice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := next(ctx, cmds); err != nil {
			return err
		}
		*h.sent++
		return next(ctx, cmds)
	}
}

// A call whose scripts are sent twice leaves the same in Redis,
// and returns the same, as one whose scripts are sent once.
func TestEveryScriptMayRunTwice(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			once, twice, sent := open(t, start(t)), open(t, start(t)), 0
			twice.client.AddHook(sendTwice{sent: &sent})
			first, second := &story{testStore: once}, &story{testStore: twice}
			for _, c := range slices.Concat(jobCalls(), shardCalls(), endCalls()) {
				before := sent
				want, got := c.run(t.Context(), first), c.run(t.Context(), second)
				if sent == before {
					t.Fatalf("%s: no script was sent twice", c.name)
				}
				if want != got {
					t.Errorf("%s: the answer is %s when sent twice, %s when sent once", c.name, got, want)
				}
				if w, g := state(t, once), state(t, twice); !maps.Equal(w, g) {
					t.Fatalf("%s: sent twice it leaves another state:%s", c.name, difference(w, g))
				}
			}
		})
	}
}

// story is what a call needs from earlier ones.
type story struct {
	testStore
	lease    queue.Lease
	single   queue.Lease
	snapshot queue.Snapshot
	health   queue.JobHealth
}

// run is a run of a shard of the job j. Its token is the same in
// each story.
func (s *story) run(shard int) queue.ShardLease {
	return queue.RunOf(s.Store, ref("j", shard), "run")
}

type call struct {
	name string
	run  func(context.Context, *story) string
}

// answer returns what a call returned as a text, without times.
func answer(values ...any) string { return timeless(fmt.Sprint(values...)) }

// jobCalls, shardCalls and endCalls call everything that runs a
// script, along the lives of two jobs.
func jobCalls() []call {
	return []call{
		{"create", func(ctx context.Context, s *story) string {
			return answer(s.Create(ctx, queue.NewJob{ID: "j", Kind: kind, Payload: []byte("{}"), Queue: "q"}))
		}},
		{"inspect", func(ctx context.Context, s *story) (a string) {
			var err error
			s.health, err = s.Reaper().Inspect(ctx, "j")
			return answer(s.health.State, s.health.Generation, err)
		}},
		{"take over", func(ctx context.Context, s *story) string {
			return answer(s.Reaper().TakeOver(ctx, "j", s.health, 0))
		}},
		{"claim", func(ctx context.Context, s *story) string {
			var err error
			s.lease, err = s.Claim(ctx, queue.ClaimRequest{
				Ref: asynqtask.JobRef{Job: "j", Generation: 1}, Kind: kind, Payload: []byte("{}"), First: tasks.StatePlanning,
			})
			return answer(s.lease.Shards, s.lease.State, s.lease.Epoch(), err)
		}},
		{"claim a job without a record", func(ctx context.Context, s *story) string {
			var err error
			s.single, err = s.Claim(ctx, queue.ClaimRequest{
				Ref: asynqtask.JobRef{Job: "single"}, Kind: "export-annotations", Payload: []byte("{}"), First: tasks.StateRunning,
			})
			return answer(s.single.State, s.single.Epoch(), err)
		}},
		{"plan", func(ctx context.Context, s *story) string {
			return answer(s.lease.Plan(ctx, shard(0)), s.lease.Plan(ctx, shard(1)), s.lease.Plan(ctx, shard(2)))
		}},
		{"plan too many objects", func(ctx context.Context, s *story) string {
			return answer(queue.WithLimits(s.lease, queue.Limits{Objects: 1}).Plan(ctx, shard(3)))
		}},
		{"advance", func(ctx context.Context, s *story) string {
			return answer(s.lease.Advance(ctx, tasks.StatePlanning, tasks.StateRunning))
		}},
		{"suspend", func(ctx context.Context, s *story) string { return answer(s.lease.Suspend(ctx, time.Minute)) }},
		{"begin careful", func(ctx context.Context, s *story) string { return answer(s.lease.BeginCareful(ctx)) }},
		{"unattended", func(ctx context.Context, s *story) string {
			_, err := s.Reaper().Unattended(ctx, 10) // the jobs of a lost answer come later
			return answer(err)
		}},
	}
}

func shardCalls() []call {
	first := queue.Checkpoint{
		To: "b", Data: []byte("data"), Objects: 4, Bytes: 7, Errors: lines(2),
		Tally: map[string]int64{"jpeg": 3},
	}
	last := first
	last.From, last.To, last.Last = "b", "c", true
	startShard := func(ctx context.Context, s *story, ref asynqtask.ShardRef) string {
		l, err := s.StartShard(ctx, ref)
		return answer(l.Wanted, l.Resume, l.Crashes, l.Suspect, l.Strikes, err)
	}
	again := asynqtask.ShardRef{Job: "j", Generation: 1}
	return []call{
		{"start", func(ctx context.Context, s *story) string { return startShard(ctx, s, ref("j", 0)) }},
		{"mark suspect", func(ctx context.Context, s *story) string { return answer(s.run(0).MarkSuspect(ctx, "a")) }},
		{"heartbeat of shards", func(ctx context.Context, s *story) string {
			return answer(s.HeartbeatShards(ctx, "j", 0, map[int]tasks.Progress{0: {Objects: 1, Bytes: 2, Failed: 1}}))
		}},
		{"heartbeat", func(ctx context.Context, s *story) string {
			var err error
			s.snapshot, err = s.lease.Heartbeat(ctx, queue.ProgressReport{
				Objects: 1, Bytes: 2, Failed: 1, Total: -1, Rate: 0.5, ETASeconds: 9,
			})
			return answer(s.snapshot.Committed, s.snapshot.Shown, err)
		}},
		{"replace after a crash", func(ctx context.Context, s *story) string {
			return answer(s.lease.ReplaceShard(ctx, 0, s.snapshot.Shards[0], true))
		}},
		{"start again", func(ctx context.Context, s *story) string { return startShard(ctx, s, again) }},
		{"suspend shard", func(ctx context.Context, s *story) string {
			return answer(queue.RunOf(s.Store, again, "run").Suspend(ctx, time.Minute))
		}},
		{"first checkpoint", func(ctx context.Context, s *story) string { return answer(s.run(0).Commit(ctx, first)) }},
		{"last checkpoint", func(ctx context.Context, s *story) string { return answer(s.run(0).Commit(ctx, last)) }},
		{"whole shard", func(ctx context.Context, s *story) string { return answer(s.run(1).Commit(ctx, whole("x", 0))) }},
		{"too large a checkpoint", func(ctx context.Context, s *story) string {
			run := queue.RunOf(s.WithLimits(queue.Limits{Bytes: 1}), ref("j", 2), "run")
			return answer(run.Commit(ctx, queue.Checkpoint{Last: true, Data: []byte("x")}))
		}},
		{"a reservation", func(ctx context.Context, s *story) string {
			return answer(s.Caps().Acquire(ctx, []caps.Cap{{Name: "tenant", Limit: 1}}, "j"))
		}},
		{"another reservation", func(ctx context.Context, s *story) string {
			return answer(s.Caps().Acquire(ctx, []caps.Cap{{Name: "tenant", Limit: 1}}, "k"))
		}},
	}
}

func endCalls() []call {
	return []call{
		{"fail a shard", func(ctx context.Context, s *story) string {
			return answer(s.run(0).Fail(ctx, tasks.Failure{Kind: "denied"}))
		}},
		{"publish too large a result", func(ctx context.Context, s *story) string {
			l := queue.WithLimits(s.lease, queue.Limits{Bytes: 1})
			return answer(l.Publish(ctx, queue.End{Result: []byte("{}"), Keep: time.Hour}))
		}},
		{"publish", func(ctx context.Context, s *story) string {
			return answer(s.lease.Publish(ctx, queue.End{Result: []byte("{}"), Keep: time.Hour}))
		}},
		{"publish a single job", func(ctx context.Context, s *story) string {
			return answer(s.single.Publish(ctx, queue.End{
				Result: []byte("{}"), Keep: time.Hour, Errors: lines(3),
				Counts: &tasks.Progress{Objects: 9, ObjectsTotal: 9, Bytes: 5, Failed: 3},
			}))
		}},
		{"begin a retry", func(ctx context.Context, s *story) string { return answer(s.BeginRetry(ctx, "j", 1)) }},
		{"claim the retry", func(ctx context.Context, s *story) string {
			var err error
			s.lease, err = s.Claim(ctx, queue.ClaimRequest{
				Ref: asynqtask.JobRef{Job: "j", Generation: 2}, Kind: kind, First: tasks.StatePlanning,
			})
			return answer(s.lease.Round, string(s.lease.PreviousResult), err)
		}},
		{"cancel", func(ctx context.Context, s *story) string { return answer(s.Cancel(ctx, "j", time.Hour)) }},
		{"cancel again", func(ctx context.Context, s *story) string { return answer(s.Cancel(ctx, "j", time.Hour)) }},
	}
}

var (
	clock  = regexp.MustCompile(`\b[12]\d{12}(\.\d+)?\b|[12](\.\d+)?e\+12|"time":"[^"]*"|\d+-\d+ \d\d:\d\d:\d\d\S* \S+ UTC`)
	secret = regexp.MustCompile(`(:(job|made)\b.*\b(holder|taker|[0-9]+)) = [A-Z2-7]{26}$`)
)

// timeless replaces times in a text, and the random tokens of
// calls.
func timeless(s string) string {
	return secret.ReplaceAllString(clock.ReplaceAllString(s, "TIME"), "$1 = RANDOM")
}

// state is everything in a Redis: a line for each field, and one
// for each key that says whether it expires.
func state(t *testing.T, r testStore) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	note := func(key string, v ...any) {
		line := timeless(key + " " + strings.TrimSpace(fmt.Sprintln(v...)))
		if !utf8.ValidString(line) {
			line = strconv.Quote(line)
		}
		all[line] = true
	}
	for _, key := range keys(t, r.client) {
		note(key, "expires", r.client.PTTL(t.Context(), key).Val() > 0)
		switch kind := r.client.Type(t.Context(), key).Val(); kind {
		case "hash":
			for f, v := range r.client.HGetAll(t.Context(), key).Val() {
				note(key, f+" = "+v)
			}
		case "list":
			note(key, r.client.LRange(t.Context(), key, 0, -1).Val())
		case "string":
			note(key, []byte(r.client.Get(t.Context(), key).Val()))
		case "zset":
			for _, z := range r.client.ZRangeWithScores(t.Context(), key, 0, -1).Val() {
				note(key, z.Member, int64(z.Score))
			}
		case "stream":
			for i, m := range r.client.XRange(t.Context(), key, "-", "+").Val() {
				note(key, i, m.Values)
			}
		default:
			t.Fatal(errors.New("this test cannot read a " + kind))
		}
	}
	return all
}

func difference(want, got map[string]bool) string {
	var d strings.Builder
	for line := range want {
		if !got[line] {
			d.WriteString("\n  once  " + line)
		}
	}
	for line := range got {
		if !want[line] {
			d.WriteString("\n  twice " + line)
		}
	}
	return d.String()
}
