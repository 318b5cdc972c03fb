package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// logBook keeps the lines of a log, without those of level debug.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func (b *logBook) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSpace(b.text.String()), "\n")
}

func (b *logBook) has(text string) bool { return b.count(text) > 0 }

func (b *logBook) count(text string) (n int) {
	for _, line := range b.lines() {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// An outage of Redis is two lines of the log, however Redis fails and
// however long: one when it goes away, and one when it is back. A worker
// that is idle, or waits for a job, writes nothing else.
func TestOutageIsTwoLines(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Restartables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			book := new(logBook)
			c := newConfig(t, r.Options())
			c.Log = book.logger()
			work := newBlocker()
			blocked := func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
				return nil, work.block(ctx)
			}
			startWorker(t, c, testJobs{verify: blocked})
			queuetest.Eventually(t, 20*time.Second, "the worker has started", func() bool {
				return book.has("worker started")
			})
			enqueue(t, newClient(t, r.Options()), verify, "v")
			work.waitBlocked(t, 1)
			before := len(book.lines())

			r.Down()
			queuetest.Eventually(t, 3*time.Second*leeway, "the log says that Redis is away", func() bool {
				return book.has("Redis is away")
			})
			_ = elapse(t.Context(), 8*time.Second) // asynq would write by now
			r.Up()
			queuetest.Eventually(t, 5*time.Second*leeway, "the log says that Redis is back", func() bool {
				return book.has("Redis is back")
			})
			_ = elapse(t.Context(), 2*time.Second)
			lines := book.lines()[before:]
			if len(lines) != 2 || !strings.Contains(lines[1], " away=") ||
				!strings.Contains(lines[0], setting.RedisURL.String()) {
				t.Errorf("the log has %d lines about the outage:\n%s", len(lines), strings.Join(lines, "\n"))
			}
			work.release()
		})
	}
}

// A worker ends within its drain timeout, whatever Redis does: it was
// never reached, it is gone while a job runs, or it hangs.
func TestStopsWithoutRedis(t *testing.T) {
	t.Parallel()
	states := map[string]func(*queuetest.Redis){
		"gone":  (*queuetest.Redis).Kill,
		"hangs": (*queuetest.Redis).Freeze,
	}
	for name, fail := range states {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, busy %v", name, busy), func(t *testing.T) {
				t.Parallel()
				r := queuetest.Start(t)
				work := newBlocker()
				m := &countingJob{shards: 4, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
					return work.block(ctx)
				}}
				c := newConfig(t, r.Options())
				book := new(logBook)
				c.Log = book.logger()
				p := startWorker(t, c, testJobs{manifest: m})
				queuetest.Eventually(t, 20*time.Second, "the worker has started", func() bool {
					return book.has("worker started")
				})
				if busy {
					enqueue(t, newClient(t, r.Options()), manifest, "m")
					work.waitBlocked(t, 2)
				}
				fail(r)
				queuetest.Eventually(t, 30*time.Second, "the worker has noticed", func() bool {
					return book.has("Redis is away")
				})
				checkStop(t, p, c.DrainTimeout)
			})
		}
	}
	t.Run("never reached", func(t *testing.T) {
		t.Parallel()
		c := newConfig(t, redisconn.Options{Addr: "127.0.0.1:1"})
		book := new(logBook)
		c.Log = book.logger()
		p := startWorker(t, c, testJobs{})
		queuetest.Eventually(t, 20*time.Second, "the worker waits", func() bool {
			return book.has("Redis is away")
		})
		checkStop(t, p, time.Second)
		if n := len(book.lines()); n != 1 {
			t.Errorf("%d lines:\n%s", n, strings.Join(book.lines(), "\n"))
		}
	})
}

func checkStop(t *testing.T, p *process, limit time.Duration) {
	t.Helper()
	began := time.Now()
	p.stop()
	took := time.Since(began)
	t.Logf("stopped after %v", took.Round(time.Millisecond))
	if took > limit+time.Second {
		t.Errorf("stopped after %v, want at most %v", took, limit)
	}
}

// A Redis that refuses the worker's login ends the worker with one error
// that says where and what to do. The worker is never ready.
func TestRefusedLogin(t *testing.T) {
	t.Parallel()
	r := queuetest.StartACL(t)
	o := r.Options()
	o.Password = "hush"
	book := new(logBook)
	c := newConfig(t, o)
	c.Log = book.logger()
	w, err := worker.New(c, testJobs{}.registrations()...)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Run(t.Context())
	if err == nil {
		t.Fatal("the worker has ended without an error")
	}
	for _, part := range []string{o.Addr, "WRONGPASS", "password", setting.RedisURL.String()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), o.Password) || book.lines()[0] != "" {
		t.Errorf("%v\n%s", err, strings.Join(book.lines(), "\n"))
	}
}

// A user with AccessRules starts a worker, and runs a job, without a
// warning, and without a refused command that Redis would log.
func TestAccessRulesSufficeForWorker(t *testing.T) {
	t.Parallel()
	r := queuetest.StartACL(t)
	book := new(logBook)
	c := newConfig(t, r.Options())
	c.Log = book.logger()
	var runs atomic.Int32
	p := startWorker(t, c, testJobs{verify: failing(&runs)})
	client := newClient(t, r.Options())
	enqueue(t, client, verify, "v")
	waitForJob(t, client, "v", 30*time.Second)
	p.stop()
	if refused := r.Violations(); refused != nil {
		t.Errorf("Redis has refused %v", refused)
	}
	if book.has("level=WARN") || book.has("level=ERROR") {
		t.Errorf("the log:\n%s", strings.Join(book.lines(), "\n"))
	}
}
