package reaper

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

// counts holds what a reaper has reported.
type counts struct {
	mu               sync.Mutex
	takenOver, ended int
}

func (c *counts) JobTakenOver(string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takenOver++
}

func (c *counts) JobEnded(journal.Labels, string, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
}

// fixture is a reaper and the Redis that it works on.
type fixture struct {
	*Reaper
	t         *testing.T
	store     queue.Store
	tasks     asynqtask.Client
	counts    *counts
	redis     func(command ...any) error
	inspector *asynq.Inspector
}

func newFixture(t *testing.T, kinds ...string) fixture {
	t.Helper()
	o := queuetest.Embedded(t)
	client := o.Client()
	t.Cleanup(func() { _ = client.Close() })
	f := fixture{
		t:         t,
		store:     queue.NewStore(client),
		tasks:     asynqtask.NewClient(client, client),
		counts:    new(counts),
		inspector: asynq.NewInspectorFromRedisClient(client),
		redis: func(command ...any) error {
			return client.Do(context.Background(), command...).Err()
		},
	}
	table := map[string]job.Kind{}
	for _, name := range kinds {
		k, err := tasks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		table[name] = job.Kind{Kind: k}
	}
	f.Reaper = New(Config{
		Store:       f.store,
		Tasks:       f.tasks,
		Kinds:       table,
		Metrics:     f.counts,
		Log:         slog.New(slog.DiscardHandler),
		SilentAfter: time.Nanosecond, // every job is silent
		Grace:       time.Nanosecond,
	})
	return f
}

// claim claims a job as a coordinator that sends no heartbeat.
func (f fixture) claim(id, kind, name string) { f.claimPayload(id, kind, name, "not JSON") }

func (f fixture) claimPayload(id, kind, name, payload string) {
	f.t.Helper()
	_, err := f.store.Claim(f.t.Context(), queue.ClaimRequest{
		Ref:     asynqtask.JobRef{Job: id},
		Kind:    kind,
		Payload: []byte(payload),
		Queue:   name,
		First:   tasks.StateRunning,
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// silentCheck looks at a job once its last heartbeat is a moment old.
func (f fixture) silentCheck(id string, trust bool) {
	f.t.Helper()
	queuetest.Eventually(f.t, 10*time.Second, "the job is silent", func() bool {
		health, err := f.records.Inspect(f.t.Context(), id)
		return err == nil && health.Silent > 0
	})
	if err := f.lookAt(f.t.Context(), id, trust); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) state(name, taskID string) asynqtask.State {
	f.t.Helper()
	state, err := f.tasks.State(name, taskID)
	if err != nil {
		f.t.Fatal(err)
	}
	return state
}

// The new task of an orphaned job goes on the queue that the job's
// record names. The payload is not decoded for that: here it cannot be.
func TestTakesOverOnTheQueueOfTheRecord(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "build-manifest")
	high := tasks.PriorityHigh.Queue(tasks.QueueJobs)
	f.claim("j", "build-manifest", high)
	f.silentCheck("j", true)
	if state := f.state(high, "j:g1"); state != asynqtask.Pending {
		t.Errorf("the task is %s", state)
	}
	if f.counts.takenOver != 1 {
		t.Errorf("%d jobs were taken over", f.counts.takenOver)
	}
}

// A silent job is left alone while silence does not mean a crash, if
// its kind is not this worker's, and if its task waits.
func TestLeavesJobsAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "build-manifest")
	f.claim("blind", "build-manifest", tasks.QueueJobs)
	f.silentCheck("blind", false)
	f.claim("foreign", "export-annotations", tasks.QueueExports)
	f.silentCheck("foreign", true)
	f.claim("waiting", "build-manifest", tasks.QueueJobs)
	err := f.tasks.EnqueueJob(t.Context(), asynqtask.Job{
		Kind: f.config.Kinds["build-manifest"].Kind,
		Ref:  asynqtask.JobRef{Job: "waiting"},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.silentCheck("waiting", true)
	if f.counts.takenOver != 0 {
		t.Errorf("%d jobs were taken over", f.counts.takenOver)
	}
}

// A single job fails at the fourth death of a worker, if the last two
// ran it carefully. Then it is not tracked any more. Other deaths after
// the second do not count: the job was not the reason.
func TestGivesUpJobThatKillsWorkers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "verify-connection")
	steps := []struct {
		careful bool
		want    tasks.State
	}{
		{false, tasks.StateRunning}, {false, tasks.StateRunning}, {false, tasks.StateRunning},
		{true, tasks.StateRunning}, {false, tasks.StateRunning}, {false, tasks.StateRunning},
		{true, tasks.StateFailed},
	}
	for i, step := range steps {
		f.dieWith("j", i, step.careful)
		s, err := f.store.Status(t.Context(), "j")
		if err != nil || s.State != step.want {
			t.Fatalf("after death %d: %+v, %v", i+1, s, err)
		}
		if s.State == tasks.StateFailed && (s.Failure.Code != "kills-worker" ||
			!strings.HasPrefix(s.Failure.Message, "4 workers died while they ran this job, the last 2 ")) {
			t.Errorf("failure %+v", s.Failure)
		}
	}
	if f.counts.takenOver != len(steps) || f.counts.ended != 1 {
		t.Errorf("%d jobs were taken over, %d ended", f.counts.takenOver, f.counts.ended)
	}
	if jobs := f.unattended(t.Context()); len(jobs) != 0 {
		t.Errorf("still tracked: %v", jobs)
	}
}

// dieWith claims a job, perhaps runs it carefully, and dies with it.
func (f fixture) dieWith(id string, generation int, careful bool) {
	f.t.Helper()
	lease, err := f.store.Claim(f.t.Context(), queue.ClaimRequest{
		Ref:     asynqtask.JobRef{Job: id, Generation: generation},
		Kind:    "verify-connection",
		Payload: []byte("{}"),
		Queue:   tasks.QueueVerify,
		First:   tasks.StateRunning,
	})
	if err == nil && careful {
		err = lease.BeginCareful(f.t.Context())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	health, err := f.records.Inspect(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	o, err := newOrphan(f.t.Context(), f.Reaper, f.config.Kinds["verify-connection"], id, health)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := o.takeOver(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) unattended(ctx context.Context) []string {
	f.t.Helper()
	jobs, err := f.records.Unattended(ctx, maxJobsPerRound)
	if err != nil {
		f.t.Fatal(err)
	}
	return jobs
}

// A job whose record has expired is not tracked any more.
func TestForgetsJobsWithoutRecord(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.redis("ZADD", "stevedore:active", 0, "gone"); err != nil {
		t.Fatal(err)
	}
	if jobs := f.unattended(t.Context()); len(jobs) != 1 {
		t.Fatalf("tracked are %v", jobs)
	}
	if err := f.lookAt(t.Context(), "gone", true); err != nil {
		t.Fatal(err)
	}
	if jobs := f.unattended(t.Context()); len(jobs) != 0 {
		t.Errorf("still tracked: %v", jobs)
	}
}

// panickingPayload is a payload that panics when it is decoded.
type panickingPayload struct{ tasks.Terms }

func (panickingPayload) Kind() string                { return "panics" }
func (panickingPayload) Validate() error             { return nil }
func (*panickingPayload) UnmarshalJSON([]byte) error { panic("boom") }

type panickingResult struct{}

func (panickingResult) Kind() string    { return "panics" }
func (panickingResult) Summary() string { return "" }

// A job whose payload panics stays as it is, and the round continues
// with the next job.
func TestRoundSurvivesPanic(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "build-manifest")
	f.config.Kinds["panics"] = job.Kind{Kind: tasks.NewKind[panickingPayload, panickingResult](
		tasks.Policy{Queue: tasks.QueueJobs, Timeout: time.Hour, Attempts: 1, Keep: time.Hour})}
	var log bytes.Buffer
	f.config.Log = slog.New(slog.NewTextHandler(&log, nil))
	f.claimPayload("bad", "panics", "", "{}") // without a queue
	f.claim("good", "build-manifest", tasks.QueueJobs)
	queuetest.Eventually(t, 10*time.Second, "both jobs are silent", func() bool {
		bad, err1 := f.records.Inspect(t.Context(), "bad")
		good, err2 := f.records.Inspect(t.Context(), "good")
		return err1 == nil && err2 == nil && bad.Silent > 0 && good.Silent > 0
	})
	if f.round(t.Context(), []string{"bad", "good"}, time.Time{}) {
		t.Error("the round reports that all went well")
	}
	if text := log.String(); !strings.Contains(text, "job=bad") || !strings.Contains(text, "boom") {
		t.Errorf("the log is %s", log.String())
	}
	if state := f.state(tasks.QueueJobs, "good:g1"); state != asynqtask.Pending {
		t.Errorf("the good job's task is %s", state)
	}
}
