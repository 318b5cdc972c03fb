package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// twice sends every script again after its answer, as go-redis does when the
// answer is lost on the way.
type twice struct{ sent *int }

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if !strings.HasPrefix(cmd.Name(), "eval") || err != nil {
			return err
		}
		*h.sent++
		return next(ctx, cmd)
	}
}

// A call whose scripts are sent twice leaves the same in Redis, and gives the
// same answer, as one whose scripts are not.
func TestEveryScriptMayRunTwice(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			once, again, sent := open(t, start(t)), open(t, start(t)), 0
			again.client.AddHook(twice{&sent})
			for _, s := range life(&story{room: once}, &story{room: again}) {
				before := sent
				want, got := s.run[0](t.Context()), s.run[1](t.Context())
				if sent == before {
					t.Fatalf("%s: no script was sent twice", s.name)
				}
				if want != got {
					t.Errorf("%s: the answer is %s when sent twice, %s when sent once", s.name, got, want)
				}
				if w, g := state(t, once), state(t, again); !maps.Equal(w, g) {
					t.Fatalf("%s: sent twice it leaves another state:%s", s.name, difference(w, g))
				}
			}
		})
	}
}

// story is what one call needs to know of earlier ones.
type story struct {
	room
	claim  queue.Claim
	single queue.Claim
	view   queue.View
	pulse  queue.Pulse
}

type step struct {
	name string
	run  [2]func(context.Context) string
}

// life calls everything that runs a script, along the lives of two jobs.
func life(stories ...*story) (steps []step) {
	for _, call := range slicesOf(jobCalls(), shardCalls(), endCalls()) {
		s := step{name: call.name}
		for i, st := range stories {
			s.run[i] = func(ctx context.Context) string { return call.run(ctx, st) }
		}
		steps = append(steps, s)
	}
	return steps
}

func slicesOf(all ...[]call) (joined []call) {
	for _, some := range all {
		joined = append(joined, some...)
	}
	return joined
}

type call struct {
	name string
	run  func(context.Context, *story) string
}

// answer is what a call gave, without times.
func answer(values ...any) string { return timeless(fmt.Sprint(values...)) }

func jobCalls() []call {
	return []call{
		{"create", func(ctx context.Context, s *story) string { return answer(s.Create(ctx, "j", kind, []byte("{}"))) }},
		{"pulse", func(ctx context.Context, s *story) (a string) {
			var err error
			s.pulse, err = s.Pulse(ctx, "j")
			return answer(s.pulse.State, s.pulse.Generation, err)
		}},
		{"take over", func(ctx context.Context, s *story) string { return answer(s.TakeOver(ctx, "j", s.pulse)) }},
		{"begin", func(ctx context.Context, s *story) string {
			var err error
			s.claim, err = s.Begin(ctx, queue.JobRef{Job: "j", Generation: 1}, kind, []byte("{}"), tasks.StatePlanning)
			return answer(s.claim.Shards, s.claim.State, err)
		}},
		{"begin a job without a record", func(ctx context.Context, s *story) string {
			var err error
			s.single, err = s.Begin(ctx, queue.JobRef{Job: "single"}, "export-annotations", []byte("{}"), tasks.StateRunning)
			return answer(s.single.State, err)
		}},
		{"plan", func(ctx context.Context, s *story) string {
			return answer(s.Plan(ctx, s.claim, shard(0)), s.Plan(ctx, s.claim, shard(1)), s.Plan(ctx, s.claim, shard(2)))
		}},
		{"step", func(ctx context.Context, s *story) string {
			return answer(s.Step(ctx, s.claim, tasks.StatePlanning, tasks.StateRunning))
		}},
		{"rest", func(ctx context.Context, s *story) string { return answer(s.Rest(ctx, s.claim, time.Minute)) }},
		{"due", func(ctx context.Context, s *story) string { // who did not hear is told again later
			_, err := s.Due(ctx, -time.Minute, 10)
			return answer(err)
		}},
	}
}

func shardCalls() []call {
	piece := queue.Piece{To: "b", Run: "r1", Data: []byte("data"), Objects: 4, Bytes: 7, Errors: lines(2), Tally: map[string]int64{"jpeg": 3}, Budget: budget}
	last := piece
	last.From, last.To, last.Last = "b", "c", true
	return []call{
		{"start", func(ctx context.Context, s *story) string { return answer(s.Start(ctx, ref("j", 0))) }},
		{"at", func(ctx context.Context, s *story) string { return answer(s.At(ctx, ref("j", 0), "a")) }},
		{"beat", func(ctx context.Context, s *story) string {
			return answer(s.Beat(ctx, "j", map[int]tasks.Progress{0: {Objects: 1, Bytes: 2, Failed: 1}}))
		}},
		{"look", func(ctx context.Context, s *story) string {
			var err error
			s.view, err = s.Look(ctx, s.claim, queue.Shown{Objects: 1, Bytes: 2, Failed: 1, Total: -1, Rate: 0.5, ETASeconds: 9})
			return answer(s.view.Committed, err)
		}},
		{"replace after a crash", func(ctx context.Context, s *story) string {
			return answer(s.Replace(ctx, s.claim, 0, s.view.Runs[0], true))
		}},
		{"start again", func(ctx context.Context, s *story) string {
			return answer(s.Start(ctx, queue.ShardRef{Job: "j", Generation: 1}))
		}},
		{"leave", func(ctx context.Context, s *story) string {
			return answer(s.Leave(ctx, queue.ShardRef{Job: "j", Generation: 1}, time.Minute))
		}},
		{"first piece", func(ctx context.Context, s *story) string { return answer(s.Commit(ctx, ref("j", 0), piece)) }},
		{"last piece", func(ctx context.Context, s *story) string { return answer(s.Commit(ctx, ref("j", 0), last)) }},
		{"piece of no named run", func(ctx context.Context, s *story) string { return answer(s.Commit(ctx, ref("j", 1), whole("x", 0))) }},
		{"too large a piece", func(ctx context.Context, s *story) string {
			return answer(s.Commit(ctx, ref("j", 2), queue.Piece{Last: true, Data: []byte("x"), Budget: 1}))
		}},
		{"a share", func(ctx context.Context, s *story) string {
			return answer(s.Share(ctx, queue.Cap{Name: "tenant", Limit: 8}, "j", 0, 6))
		}},
		{"another share", func(ctx context.Context, s *story) string {
			return answer(s.Share(ctx, queue.Cap{Name: "tenant", Limit: 8}, "k", 0, 6))
		}},
	}
}

func endCalls() []call {
	return []call{
		{"fail a shard", func(ctx context.Context, s *story) string {
			return answer(s.Fail(ctx, "j", tasks.Failure{Kind: "denied"}))
		}},
		{"publish", func(ctx context.Context, s *story) string {
			return answer(s.Publish(ctx, s.claim, queue.End{Result: []byte("{}"), Keep: time.Hour}))
		}},
		{"publish a single job", func(ctx context.Context, s *story) string {
			return answer(s.Publish(ctx, s.single, queue.End{
				Result: []byte("{}"), Keep: time.Hour, Counts: &tasks.Progress{Objects: 9, ObjectsTotal: 9, Bytes: 5, Failed: 3}, Errors: lines(3),
			}))
		}},
		{"reopen", func(ctx context.Context, s *story) string { return answer(s.Reopen(ctx, "j", 1)) }},
		{"begin the retry", func(ctx context.Context, s *story) string {
			var err error
			s.claim, err = s.Begin(ctx, queue.JobRef{Job: "j", Generation: 2}, kind, nil, tasks.StatePlanning)
			return answer(s.claim.Round, string(s.claim.Amends), err)
		}},
		{"cancel", func(ctx context.Context, s *story) string { return answer(s.Cancel(ctx, "j", time.Hour)) }},
		{"cancel again", func(ctx context.Context, s *story) string { return answer(s.Cancel(ctx, "j", time.Hour)) }},
	}
}

var (
	clock  = regexp.MustCompile(`\b[12]\d{12}(\.\d+)?\b|[12](\.\d+)?e\+12|"time":"[^"]*"|\d+-\d+ \d\d:\d\d:\d\d\S* \S+ UTC`)
	secret = regexp.MustCompile(`(:(job|made)\b.*\b(holder|taker|[0-9]+)) = [A-Z2-7]{26}$`)
)

// timeless takes times, and the names that calls draw for themselves, out of
// a text.
func timeless(s string) string {
	return secret.ReplaceAllString(clock.ReplaceAllString(s, "TIME"), "$1 = DRAWN")
}

// state is everything in a Redis: a line for each field, and whether the key
// expires.
func state(t *testing.T, r room) map[string]bool {
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
			t.Fatal(errors.New("no test knows how to read a " + kind))
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
