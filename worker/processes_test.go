package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/url"
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
	manifestjob "github.com/stevedore-jobs/stevedore/worker/manifest" //nolint:depguard // chaos must not change the output of a real job
	"github.com/stevedore-jobs/stevedore/worker/memory"               //nolint:depguard // of that job
)

// setup is the configuration of the worker processes of a test.
type setup struct {
	Redis    string // URL
	Dir      string // of the destination, and of the log
	Bucket   simulation
	Slots    int
	Parallel int
	Write    time.Duration // how long writing the manifest takes at least
}

func (s setup) redis(t testing.TB) redisconn.Options {
	t.Helper()
	o, err := redisconn.ParseURL(s.Redis)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// redisURL returns the URL of a Redis of package queuetest.
func redisURL(o redisconn.Options) string {
	u := url.URL{Scheme: "redis", User: url.UserPassword(o.Username, o.Password), Host: o.Addr}
	if o.Mode != redisconn.Single {
		u.Scheme += "-" + string(o.Mode)
	}
	if o.Mode == redisconn.Sentinel {
		u.Path = "/" + o.Master
		u.RawQuery = url.Values{"sentinel_password": {o.SentinelPassword}}.Encode()
	}
	return u.String()
}

// setupVariable holds the setup, as JSON, in a worker process.
const setupVariable = "STEVEDORE_TEST_WORKER"

// TestWorkerProcess is a worker in a process of its own, if a fleet has
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
	go func() { // the process that started this one may die: then stdin ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	files, err := file.New(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := worker.New(worker.Config{
		Redis:        s.redis(t),
		Providers:    providers.Registry{"mem": s.Bucket, "file": slowOpener{files, s.Write}},
		VerifySlots:  2,
		JobSlots:     4,
		ShardSlots:   s.Slots,
		Parallel:     s.Parallel,
		DrainTimeout: 5 * time.Second,
		Log:          slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Registry:     prometheus.NewRegistry(),
	},
		worker.Sharded(manifestjob.New(memory.New(64<<20))),
		worker.Single(single[tasks.VerifyConnection]{endlessVerify}),
		worker.Single(single[tasks.GenerateThumbnails]{}),
		worker.Single(single[tasks.ExportAnnotations]{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// slowOpener opens buckets whose writes take a time at least.
type slowOpener struct {
	providers.Opener
	write time.Duration
}

// Open implements providers.Opener.
func (s slowOpener) Open(
	ctx context.Context, to tasks.Storage, secrets providers.Secrets,
) (providers.Bucket, error) {
	b, err := s.Opener.Open(ctx, to, secrets)
	return slowBucket{b, s.write}, err
}

type slowBucket struct {
	providers.Bucket
	write time.Duration
}

// Put implements providers.Bucket.
func (b slowBucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (providers.Object, error) {
	if err := elapse(ctx, b.write); err != nil {
		return providers.Object{}, err
	}
	return b.Bucket.Put(ctx, key, body, opts)
}

// endlessVerify is a verification that only its context ends.
func endlessVerify(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// fleet is some worker processes.
type fleet struct {
	t         testing.TB
	setup     setup
	log       *os.File
	processes []*workerProcess
	inspector *asynq.Inspector
}

type workerProcess struct {
	*exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when the process has ended
}

// startFleet starts n worker processes and kills them when the test
// ends.
func startFleet(t testing.TB, s setup, n int) *fleet {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	client := s.redis(t).Client()
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

func (f *fleet) start() *workerProcess {
	f.t.Helper()
	text, err := json.Marshal(f.setup)
	if err != nil {
		f.t.Fatal(err)
	}
	p := &workerProcess{
		Cmd:   exec.Command(os.Args[0], "-test.run=^TestWorkerProcess$"),
		ended: make(chan struct{}),
	}
	p.Env, p.Stderr = append(os.Environ(), setupVariable+"="+string(text)), f.log
	if p.stdin, err = p.StdinPipe(); err != nil {
		f.t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.Wait()
	}()
	return p
}

// waitReady waits until n processes take jobs.
func (f *fleet) waitReady(n int) {
	f.t.Helper()
	const poolsPerProcess = 3
	queuetest.Eventually(f.t, 30*time.Second, "the workers are ready", func() bool {
		servers, err := f.inspector.Servers()
		return err == nil && len(servers) == poolsPerProcess*n
	})
}

// kill ends a process without warning. The system needs no more than
// moments for that.
func (f *fleet) kill(i int) {
	p := f.processes[i]
	_ = p.Process.Kill()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		f.t.Errorf("process %d has not ended 30 seconds after it was killed", i)
	}
	_ = p.stdin.Close()
}

// drain stops a process in good order and starts another in its place.
func (f *fleet) drain(i int) {
	p := f.processes[i]
	_ = p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		f.t.Errorf("process %d has not ended 30 seconds after it was told to stop", i)
	}
	f.processes[i] = f.start()
}

// replace kills a process and starts another in its place.
func (f *fleet) replace(i int) {
	f.kill(i)
	f.processes[i] = f.start()
}

// restartDead starts a process in the place of each that has died, and
// returns how many had.
func (f *fleet) restartDead() (dead int) {
	for i, p := range f.processes {
		select {
		case <-p.ended:
			_ = p.stdin.Close()
			f.processes[i] = f.start()
			dead++
		default:
		}
	}
	return dead
}

// eachRunning calls each for the tasks that the processes say they run.
// They say so every 5 seconds.
func (f *fleet) eachRunning(each func(process int, task string)) {
	servers, err := f.inspector.Servers()
	if err != nil {
		return
	}
	for _, s := range servers {
		for i, p := range f.processes {
			if s.PID != p.Process.Pid {
				continue
			}
			for _, w := range s.ActiveWorkers {
				each(i, w.TaskID)
			}
		}
	}
}

// coordinator returns the process that has a job's own task.
func (f *fleet) coordinator(id string) (process int, ok bool) {
	f.eachRunning(func(i int, task string) {
		if asynqtask.ParseJobRef(task).Job == id && !isShard(task) {
			process, ok = i, true
		}
	})
	return process, ok
}

func isShard(taskID string) bool { return strings.Contains(taskID, ":s:") }

// countLogged counts the lines of the processes' log that hold a text.
func (f *fleet) countLogged(text string) int {
	f.t.Helper()
	log, err := os.ReadFile(f.log.Name())
	if err != nil {
		f.t.Fatal(err)
	}
	return bytes.Count(log, []byte(text))
}
