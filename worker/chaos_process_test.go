package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/file"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
	manifestjob "github.com/stevedore-jobs/stevedore/worker/manifest" //nolint:depguard // the final bytes that chaos must not change are those of a real job
)

// setup is what the worker processes of a test have in common.
type setup struct {
	Redis    string // host and port
	Dir      string // of the destination, and of the log
	Bucket   simulation
	Slots    int
	Parallel int
	Write    time.Duration // how long writing the manifest takes at least
}

const setupVariable = "STEVEDORE_TEST_WORKER"

// TestWorkerProcess is a worker in a process of its own, when a fleet has
// started the process. In an ordinary run of the tests it does nothing.
func TestWorkerProcess(t *testing.T) {
	text := os.Getenv(setupVariable)
	if text == "" {
		return
	}
	var s setup
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // whoever started this process holds the other end, and may die too
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	files, err := file.New(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := worker.New(worker.Config{
		Redis: redisconn.Options{Addr: s.Redis}, VerifySlots: 2, JobSlots: 4, ShardSlots: s.Slots, Parallel: s.Parallel, DrainTimeout: 5 * time.Second,
		Providers: providers.Registry{"mem": s.Bucket, "file": slow{files, s.Write}}, Registry: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}, worker.Sharded(manifestjob.Job{}), worker.Single(single[tasks.VerifyConnection]{endless}),
		worker.Single(single[tasks.GenerateThumbnails]{}), worker.Single(single[tasks.ExportAnnotations]{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// slow is a provider that takes its time to write.
type slow struct {
	providers.Opener
	write time.Duration
}

// Open implements providers.Opener.
func (s slow) Open(ctx context.Context, to tasks.Storage, secrets providers.Secrets) (providers.Bucket, error) {
	b, err := s.Opener.Open(ctx, to, secrets)
	return slowBucket{b, s.write}, err
}

type slowBucket struct {
	providers.Bucket
	write time.Duration
}

// Put implements providers.Bucket.
func (b slowBucket) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	if err := elapse(ctx, b.write); err != nil {
		return providers.Object{}, err
	}
	return b.Bucket.Put(ctx, key, body, opts)
}

// endless is a verification that only its context ends.
func endless(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// fleet is worker processes.
type fleet struct {
	t         testing.TB
	setup     setup
	log       *os.File
	processes []*member
	inspector *asynq.Inspector
}

// member is one process of a fleet.
type member struct {
	*exec.Cmd
	stdin io.Closer
	ended chan struct{}
}

// newFleet starts n worker processes and kills them when the test ends.
func newFleet(t testing.TB, s setup, n int) *fleet {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	client := redisconn.Options{Addr: s.Redis}.Client()
	f := &fleet{t: t, setup: s, log: log, inspector: asynq.NewInspectorFromRedisClient(client)}
	t.Cleanup(func() {
		for i := range f.processes {
			f.kill(i)
		}
		_, _ = log.Close(), client.Close()
	})
	for range n {
		f.processes = append(f.processes, f.start())
	}
	return f
}

func (f *fleet) start() *member {
	f.t.Helper()
	text, err := json.Marshal(f.setup)
	if err != nil {
		f.t.Fatal(err)
	}
	m := &member{Cmd: exec.Command(os.Args[0], "-test.run=^TestWorkerProcess$"), ended: make(chan struct{})}
	m.Env, m.Stderr = append(os.Environ(), setupVariable+"="+string(text)), f.log
	if m.stdin, err = m.StdinPipe(); err != nil {
		f.t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() {
		defer close(m.ended)
		_ = m.Wait()
	}()
	return m
}

// ready waits until so many processes take jobs.
func (f *fleet) ready(n int) {
	f.t.Helper()
	const pools = 3
	queuetest.Eventually(f.t, 30*time.Second, "the workers are ready", func() bool {
		servers, err := f.inspector.Servers()
		return err == nil && len(servers) == pools*n
	})
}

// kill ends a process without warning.
func (f *fleet) kill(i int) {
	m := f.processes[i]
	_ = m.Process.Kill()
	<-m.ended
	_ = m.stdin.Close()
}

// replace kills a process and starts another in its place.
func (f *fleet) replace(i int) {
	f.kill(i)
	f.processes[i] = f.start()
}

// revive starts a process for each that has died, and returns how many had.
func (f *fleet) revive() (dead int) {
	for i, m := range f.processes {
		select {
		case <-m.ended:
			_ = m.stdin.Close()
			f.processes[i] = f.start()
			dead++
		default:
		}
	}
	return dead
}

// running tells of each task that a process of the fleet has said to run.
// Workers say so every 5 seconds.
func (f *fleet) running(each func(process int, task string)) {
	servers, err := f.inspector.Servers()
	if err != nil {
		return
	}
	for _, s := range servers {
		for i, m := range f.processes {
			if s.PID != m.Process.Pid {
				continue
			}
			for _, w := range s.ActiveWorkers {
				each(i, w.TaskID)
			}
		}
	}
}

// coordinator is the process that has a job's own task.
func (f *fleet) coordinator(id string) (process int, ok bool) {
	f.running(func(i int, task string) {
		if asynqtask.ParseJobRef(task).Job == id && !isShard(task) {
			process, ok = i, true
		}
	})
	return process, ok
}

func isShard(taskID string) bool { return strings.Contains(taskID, ":s:") }

// logged counts the lines of the processes' log that hold a text.
func (f *fleet) logged(text string) int {
	f.t.Helper()
	log, err := os.ReadFile(f.log.Name())
	if err != nil {
		f.t.Fatal(err)
	}
	return bytes.Count(log, []byte(text))
}
