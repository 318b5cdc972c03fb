package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// gate lets a test hold work back. Work that is held obeys its context, as
// every job must.
type gate struct {
	held chan struct{} // gets one token for every held piece of work
	open chan struct{} // closed to let all go
}

func newGate() *gate { return &gate{make(chan struct{}, 1000), make(chan struct{})} }

func (g *gate) pass(ctx context.Context) error {
	select {
	case <-g.open:
		return nil
	default:
	}
	g.held <- struct{}{}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) waitHeld(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-g.held:
		case <-time.After(30 * time.Second):
			t.Fatal("nothing came to the gate")
		}
	}
}

// A worker that stops hands shards and coordinator to another within 3
// seconds; nothing is lost, no attempt used up.
func TestDrainHandsOver(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		held := newGate()
		var resumed atomic.Int64 // when the other worker took the first shard, Unix nanoseconds
		var attempts atomic.Int32
		first := start(t, config(t, o), jobs{manifest: &counting{shards: 6, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
			return held.pass(ctx)
		}}})
		c := client(t, o)
		enqueue(t, c, manifest, "m")
		held.waitHeld(t, 2)
		start(t, config(t, o), jobs{manifest: &counting{shards: 6, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
			if s.Through == "0" || s.Through == "1" { // those that the first worker held
				resumed.CompareAndSwap(0, time.Now().UnixNano())
			}
			n, _ := asynq.GetRetryCount(ctx)
			attempts.Add(int32(n))
			return nil
		}}})
		stopped := time.Now()
		first.stop()
		if took := time.Since(stopped); took > 3*time.Second {
			t.Errorf("the drain took %v", took)
		}
		result(t, wait(t, c, "m", 20*time.Second), 6)
		handover := time.Unix(0, resumed.Load()).Sub(stopped)
		t.Logf("hand-over after %v", handover)
		if handover > 3*time.Second {
			t.Errorf("the hand-over took %v", handover)
		}
		if attempts.Load() != 0 {
			t.Errorf("%d attempts were used up", attempts.Load())
		}
	})
}

// A stopping worker's single job goes on elsewhere, from its beginning.
func TestDrainOfSingleJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	held := newGate()
	first := start(t, config(t, o), jobs{verify: func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
		return nil, held.pass(ctx)
	}})
	c := client(t, o)
	enqueue(t, c, verify, "v")
	held.waitHeld(t, 1)
	first.stop()
	if s, err := c.Status(t.Context(), "v"); err != nil || s.State != tasks.StateRunning {
		t.Errorf("after the drain: %+v, %v", s, err)
	}
	var runs atomic.Int32
	start(t, config(t, o), jobs{verify: failing(&runs)})
	if s := wait(t, c, "v", 10*time.Second); s.State != tasks.StateSucceeded {
		t.Errorf("ended as %+v", s)
	}
}

// Redis restarts while shards are finished, under way and waiting. Finished
// work is neither lost nor done again; work under way hands itself in when
// Redis is back.
func TestRedisRestartInMidJob(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	o := r.Options()
	held := newGate()
	m := &counting{shards: 12, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
		if s.Through < "4" && len(s.Through) == 1 {
			return nil
		}
		return held.pass(ctx)
	}}
	start(t, config(t, o), jobs{manifest: m})
	c := client(t, o)
	enqueue(t, c, manifest, "m")
	held.waitHeld(t, 2)
	queuetest.Eventually(t, 10*time.Second, "four shards are committed", func() bool {
		s, err := c.Status(t.Context(), "m")
		return err == nil && s.Progress.Shards == 4
	})
	r.Down()
	close(held.open) // the two under way finish while Redis is away
	queuetest.Eventually(t, 10*time.Second, "both are finished", func() bool { return m.times(4)+m.times(5) == 2 })
	r.Up()
	result(t, wait(t, c, "m", 60*time.Second), 12)
	for i := range 12 {
		if n := m.times(i); n != 1 {
			t.Errorf("shard %d was done %d times", i, n)
		}
	}
}

// asynq since 0.25 does not repeat a failed acknowledgement with success: the
// task would run again minutes later. A handler of asynq's own finishes here
// while Redis is away.
func TestAcknowledgementOutlivesRestart(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	o := r.Options()
	var runs atomic.Int32
	finished := make(chan struct{})
	gaveUp := make(chan struct{}, 10)
	server := asynq.NewServer(o, asynq.Config{Concurrency: 1, TaskCheckInterval: 50 * time.Millisecond, Logger: syncWatch{gaveUp}})
	err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		if runs.Add(1) == 1 {
			r.Down()
			close(finished)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	if _, err := asynq.NewClientFromRedisClient(redis).Enqueue(asynq.NewTask("x", nil), asynq.TaskID("x")); err != nil {
		t.Fatal(err)
	}
	<-finished
	select {
	case <-gaveUp: // the first try of the acknowledgement
	case <-time.After(3 * time.Second): // it is more patient than that, which is as good
	}
	r.Up()
	inspector := asynq.NewInspectorFromRedisClient(redis)
	queuetest.Eventually(t, 25*time.Second, "the task is acknowledged", func() bool {
		_, err := inspector.GetTaskInfo("default", "x")
		return errors.Is(err, asynq.ErrTaskNotFound)
	})
	if runs.Load() != 1 {
		t.Errorf("ran %d times", runs.Load())
	}
}

// syncWatch tells when asynq gives up the first try of an acknowledgement.
type syncWatch struct{ gaveUp chan<- struct{} }

func (w syncWatch) Warn(args ...any) {
	if strings.Contains(fmt.Sprint(args...), "Will retry syncing") {
		w.gaveUp <- struct{}{}
	}
}

func (syncWatch) Debug(...any) {}
func (syncWatch) Info(...any)  {}
func (syncWatch) Error(...any) {}
func (syncWatch) Fatal(...any) {}

// A coordinator died after it kept a shard and before it enqueued its task.
// The next one finds the shard and goes on planning behind it.
func TestCoordinatorResumes(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	lease, err := queue.NewStore(redis).Claim(t.Context(), queue.ClaimRequest{
		Ref:     asynqtask.JobRef{Job: "m"},
		Kind:    manifest.Kind(),
		Payload: []byte(`{"source":{"provider":"mem","bucket":"b"}}`),
		Queue:   tasks.QueueJobs,
		First:   tasks.StatePlanning,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, after := range []string{"", "0"} {
		shard := fmt.Sprintf(`{"after":%q,"through":"%d","objects":10}`, after, i)
		p := queue.PlannedShard{Index: i, Shard: []byte(shard), Cursor: fmt.Sprint(i), Objects: 10}
		if err := lease.Plan(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	planned := make(chan string, 100)
	m := &counting{shards: 5, plan: func(_ context.Context, shard string) error { planned <- shard; return nil }}
	enqueue(t, c, manifest, "m")
	start(t, config(t, o), jobs{manifest: m})
	result(t, wait(t, c, "m", 10*time.Second), 5)
	if first := <-planned; first != "2" {
		t.Errorf("planning went on with shard %s, want 2", first)
	}
}

// A coordinator that was taken for dead notices that another holds the job,
// lets go, and publishes nothing.
func TestFencedCoordinatorLetsGo(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	held := newGate()
	let := make(chan struct{})
	start(t, config(t, o), jobs{verify: func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
		err := held.pass(ctx)
		close(let)
		return tasks.VerifyConnectionResult{Verdict: "from the grave"}, err
	}})
	enqueue(t, c, verify, "v")
	held.waitHeld(t, 1)
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	lease, err := queue.NewStore(redis).Claim(t.Context(), queue.ClaimRequest{
		Ref:   asynqtask.JobRef{Job: "v"},
		Kind:  verify.Kind(),
		Queue: tasks.QueueVerify,
		First: tasks.StateRunning,
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-let:
	case <-time.After(10 * time.Second):
		t.Fatal("the fenced coordinator went on")
	}
	end := queue.End{Result: []byte(`{"ok":true,"verdict":"alive","checks":null}`), Keep: time.Hour}
	if err := lease.Publish(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	if s := wait(t, c, "v", 10*time.Second); string(s.Result) != `{"ok":true,"verdict":"alive","checks":null}` {
		t.Errorf("result %s", s.Result)
	}
}

// asynq frees the slot of a task that is cancelled although its handler still
// runs, and starts it again: in this engine the second run waits for the
// first.
func TestNoTaskRunsTwiceInOneProcess(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	var running, most, runs atomic.Int32
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	start(t, config(t, o), jobs{verify: func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		runs.Add(1)
		entered <- struct{}{}
		<-leave // deaf to its context
		return tasks.VerifyConnectionResult{OK: true}, nil
	}})
	c := client(t, o)
	enqueue(t, c, verify, "v")
	<-entered
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	inspector := asynq.NewInspectorFromRedisClient(redis)
	if err := inspector.CancelProcessing("v"); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, 10*time.Second, "asynq has taken the task back and tried it again", func() bool {
		info, err := inspector.GetTaskInfo(tasks.QueueVerify, "v")
		return err == nil && info.LastErr == "this task still runs in this process"
	})
	close(leave)
	wait(t, c, "v", 20*time.Second)
	if most.Load() != 1 {
		t.Errorf("%d runs at once", most.Load())
	}
}
