package pickup_test

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
	"github.com/stevedore-jobs/stevedore/worker/pickup"
)

// consumer is an asynq server that uses a Conn, and a client of asynq
// that knows nothing of it.
type consumer struct {
	t       *testing.T
	redis   redis.UniversalClient
	client  *asynq.Client
	handled chan string // IDs of tasks
	log     *syncBuffer
	stop    func()
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// takeAny is a pool that takes every task.
type takeAny struct{}

func (takeAny) Freed() <-chan struct{} { return nil }

func (takeAny) Take(
	ctx context.Context, q *turns.Queues, queue string,
) (turns.Task, turns.State, error) {
	return q.Take(ctx, turns.Request{Queue: queue})
}

// noLog drops asynq's own messages.
type noLog struct{}

func (noLog) Debug(...any) {}
func (noLog) Info(...any)  {}
func (noLog) Warn(...any)  {}
func (noLog) Error(...any) {}
func (noLog) Fatal(...any) {}

// start starts a server of the queues first and second.
func start(t *testing.T, o redisconn.Options) *consumer {
	t.Helper()
	r := o.Client()
	t.Cleanup(func() { _ = r.Close() })
	c := &consumer{
		t:       t,
		redis:   r,
		client:  asynq.NewClientFromRedisClient(r),
		handled: make(chan string, 1000),
		log:     new(syncBuffer),
	}
	queues := map[string]int{"first": 3, "second": 1}
	conn := pickup.New(o, queues, takeAny{}, slog.New(slog.NewTextHandler(c.log, nil)))
	server := asynq.NewServer(conn, asynq.Config{
		Concurrency:              4,
		Queues:                   queues,
		TaskCheckInterval:        pickup.CheckInterval,
		DelayedTaskCheckInterval: time.Second,
		Logger:                   noLog{},
	})
	handle := func(ctx context.Context, _ *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		c.handled <- id
		return nil
	}
	if err := server.Start(asynq.HandlerFunc(handle)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { conn.Watch(ctx) })
	c.stop = sync.OnceFunc(func() {
		conn.Stop()
		server.Stop()
		server.Shutdown()
		cancel()
		group.Wait()
	})
	t.Cleanup(c.stop)
	return c
}

// enqueue enqueues a task as any program can.
func (c *consumer) enqueue(queue, id string, options ...asynq.Option) {
	c.t.Helper()
	options = append(options, asynq.Queue(queue), asynq.TaskID(id))
	if _, err := c.client.EnqueueContext(c.t.Context(), asynq.NewTask("t", nil), options...); err != nil {
		c.t.Fatal(err)
	}
}

// waitFor waits until a task is handled.
func (c *consumer) waitFor(id string, limit time.Duration) {
	c.t.Helper()
	select {
	case got := <-c.handled:
		if got != id {
			c.t.Fatalf("task %s is handled, want %s", got, id)
		}
	case <-time.After(limit):
		c.t.Fatalf("task %s is not handled within %v", id, limit)
	}
}

// waitUntilWatched waits until both queues are watched.
func (c *consumer) waitUntilWatched(watched func() int) {
	c.t.Helper()
	queuetest.Eventually(c.t, 30*time.Second, "both queues are watched", func() bool {
		return watched() >= 2
	})
}

// checkPickup checks that tasks are picked up much sooner than polls
// could, which take 2.5 seconds for a task on average.
func (c *consumer) checkPickup(round string) {
	c.t.Helper()
	began := time.Now()
	const each = 4
	for i := range each {
		for _, queue := range []string{"first", "second"} {
			id := round + "-" + queue + "-" + strconv.Itoa(i)
			c.enqueue(queue, id)
			c.waitFor(id, 20*time.Second)
		}
	}
	if took := time.Since(began); took > each*2*time.Second {
		c.t.Errorf("%s: %d tasks took %v", round, 2*each, took)
	}
}

// A task of any asynq client is picked up at once, on each kind of
// Redis that Stevedore supports. Nobody sends a wake-up.
func TestTaskIsPickedUpAtOnce(t *testing.T) {
	t.Parallel()
	servers := queuetest.Servers()
	servers["sentinel"] = queuetest.StartSentinel
	for name, redis := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, redis(t))
			c.checkPickup("at first")
			c.checkPickup("later")
		})
	}
}

// blocked returns how many commands wait in Redis.
func blocked(t *testing.T, o redisconn.Options) func() int {
	t.Helper()
	r := o.Client()
	t.Cleanup(func() { _ = r.Close() })
	return func() int {
		_, rest, _ := strings.Cut(r.Info(t.Context(), "clients").Val(), "blocked_clients:")
		digits, _, _ := strings.Cut(rest, "\r\n")
		n, _ := strconv.Atoi(digits)
		return n
	}
}

// Redis drops all connections, and later restarts. Then tasks are
// picked up at once again.
func TestWatchOutlivesOutage(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	c := start(t, r.Options())
	watched := blocked(t, r.Options())
	c.waitUntilWatched(watched)
	if err := c.redis.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal").Err(); err != nil {
		t.Fatal(err)
	}
	c.waitUntilWatched(watched)
	c.checkPickup("without connections")
	r.Down()
	r.Up()
	c.waitUntilWatched(watched)
	c.checkPickup("after a restart")
	if text := c.log.String(); text != "" {
		t.Errorf("the log is %s", text)
	}
}

// A user who may not send the command that waits gets a warning, once.
// The queues are then polled.
func TestRefusedCommandMeansPolls(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	o := r.Options()
	admin := o.Client()
	defer func() { _ = admin.Close() }()
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "default", "-blmove").Err(); err != nil {
		t.Fatal(err)
	}
	c := start(t, o)
	queuetest.Eventually(t, 10*time.Second, "the refusal is logged", func() bool {
		return strings.Contains(c.log.String(), "allow BLMOVE")
	})
	c.checkPickup("polled")
	if n := strings.Count(c.log.String(), "level="); n != 1 {
		t.Errorf("%d lines of log: %s", n, c.log)
	}
}

// The tasks of a paused queue wake its server in vain. That costs few
// commands. When the queue goes on, they are picked up.
func TestPausedQueueCostsLittle(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	c := start(t, o)
	c.checkPickup("at first")
	inspector := asynq.NewInspectorFromRedisClient(c.redis)
	if err := inspector.PauseQueue("first"); err != nil {
		t.Fatal(err)
	}
	c.enqueue("first", "held")
	before := processed(t, c.redis)
	const seconds = 2
	select {
	case id := <-c.handled:
		t.Fatalf("task %s of a paused queue is handled", id)
	case <-time.After(seconds * time.Second):
	}
	if rate := (processed(t, c.redis) - before) / seconds; rate > 80 {
		t.Errorf("%d commands a second", rate)
	}
	if err := inspector.UnpauseQueue("first"); err != nil {
		t.Fatal(err)
	}
	c.waitFor("held", 10*time.Second)
}

// processed returns how many commands Redis has run, also in scripts.
func processed(t *testing.T, r redis.UniversalClient) int {
	t.Helper()
	info, err := r.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for line := range strings.Lines(info) {
		_, rest, _ := strings.Cut(line, ":calls=")
		digits, _, _ := strings.Cut(rest, ",")
		n, _ := strconv.Atoi(digits)
		total += n
	}
	return total
}

// A task that was scheduled runs at its time.
func TestScheduledTaskIsPickedUp(t *testing.T) {
	t.Parallel()
	c := start(t, queuetest.Embedded(t))
	c.enqueue("second", "later", asynq.ProcessIn(time.Second))
	c.waitFor("later", 10*time.Second)
}

// Two servers share the tasks of a burst. Each task runs once.
func TestServersShareBurst(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	a, b := start(t, o), start(t, o)
	const tasks = 300
	for i := range tasks {
		a.enqueue([]string{"first", "second"}[i%2], strconv.Itoa(i))
	}
	seen := map[string]bool{}
	timeout := time.After(30 * time.Second)
	for range tasks {
		var id string
		select {
		case id = <-a.handled:
		case id = <-b.handled:
		case <-timeout:
			t.Fatalf("%d of %d tasks were handled", len(seen), tasks)
		}
		if seen[id] {
			t.Errorf("task %s ran twice", id)
		}
		seen[id] = true
	}
}

// A server that waits for tasks stops at once, and takes none after
// that.
func TestStopsWhileItWaits(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	c := start(t, o)
	c.waitUntilWatched(blocked(t, o))
	began := time.Now()
	c.stop()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it stopped after %v", took)
	}
	c.enqueue("first", "late")
	select {
	case id := <-c.handled:
		t.Errorf("task %s was handled", id)
	default:
	}
}
