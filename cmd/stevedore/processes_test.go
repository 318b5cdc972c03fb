package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// binary builds the program once for all tests that run it as a
// process.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "stevedore-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "stevedore")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if os.Getenv(stuckName) != "" {
		beStuck()
	}
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// setup holds a real Redis, a real S3 server with a bucket of images,
// and a client.
type setup struct {
	redis  *queuetest.Redis
	client *producer.Client
	store  tasks.Storage
	bucket providers.Bucket
	secret string
}

const secretName = "STEVEDORE_SECRET_TEST"

// s3Bucket makes a bucket and a user. The user has only the rights that
// the documents of CVAT and FastLabel ask for. It returns the user's
// secret.
func s3Bucket(t *testing.T, server servers.S3Server) (tasks.Storage, string) {
	t.Helper()
	name := server.Bucket(t)
	keys := server.Writer(t, name)
	return tasks.Storage{
		Provider: "s3", Bucket: name, Region: "us-east-1", Endpoint: server.Endpoint,
		Auth: tasks.Auth{Method: tasks.AuthAccessKey, AccessKeyID: keys.AccessKeyID},
	}, keys.SecretAccessKey
}

// newSetup makes a setup whose bucket holds n images.
func newSetup(t *testing.T, n int) *setup {
	t.Helper()
	server := servers.S3(t)
	p := &setup{redis: queuetest.Start(t)}
	p.store, p.secret = s3Bucket(t, server)
	p.store.Prefix, p.store.Auth.SecretAccessKey = "images/", secret(t, "env:"+secretName)
	p.client = producer.New(p.redis.Options())
	t.Cleanup(func() { _ = p.client.Close() })
	p.fill(t, n)
	return p
}

func (p *setup) fill(t *testing.T, n int) {
	t.Helper()
	store := p.store
	store.Auth.SecretAccessKey = secretFile(t, p.secret)
	p.bucket = open(t, configured(t), store)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error {
			_, err := p.bucket.Put(ctx, fmt.Sprintf("images/%05d.jpg", i), bytes.NewReader(picture(t, i)), providers.WriteOptions{ContentType: "image/jpeg"})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func picture(t *testing.T, i int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		m.Set(x, i%48, color.RGBA{uint8(i), uint8(i >> 8), uint8(x), 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Error(err)
	}
	return b.Bytes()
}

// count counts the objects with an ending in Stevedore's own directory.
func (p *setup) count(t *testing.T, ending string) (n int64) {
	t.Helper()
	for o, err := range p.bucket.List(t.Context(), providers.ListOptions{Prefix: "images/.stevedore/"}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o.Key, ending) {
			n++
		}
	}
	return n
}

// process is a worker in a process of its own.
type process struct {
	cmd  *exec.Cmd
	url  string
	logs *bytes.Buffer
	read chan struct{} // closed at the end of the log
}

// startProcess starts a worker with one shard slot, and waits until it
// is ready.
func (p *setup) startProcess(t *testing.T) *process {
	t.Helper()
	return startProcess(t, "STEVEDORE_REDIS_URL=redis://"+p.redis.Options().Addr, secretName+"="+p.secret,
		"STEVEDORE_EGRESS_ALLOW=127.0.0.1", "STEVEDORE_SHARD_SLOTS=1", "STEVEDORE_PARALLEL=2")
}

// startProcess starts a worker with settings, and waits until it is
// ready.
func startProcess(t *testing.T, environ ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &process{cmd: exec.Command(path, "worker"), logs: new(bytes.Buffer), read: make(chan struct{})}
	s.cmd.Env = append(os.Environ(), append(environ,
		"STEVEDORE_HTTP_ADDR=127.0.0.1:0", "STEVEDORE_LOG_FORMAT=text", "STEVEDORE_LOG_LEVEL=debug")...)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	address := make(chan string, 1)
	go s.watch(stderr, address)
	select {
	case s.url = <-address:
	case <-s.read:
		t.Fatalf("the worker has ended:\n%s", s.logs)
	case <-time.After(20 * time.Second):
		t.Fatal("the worker did not start")
	}
	queuetest.Eventually(t, 20*time.Second, "ready", func() bool { return s.get("/readyz") != "" })
	return s
}

func (s *process) watch(stderr io.Reader, address chan<- string) {
	defer close(s.read)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		s.logs.WriteString(lines.Text() + "\n")
		if _, a, ok := strings.Cut(lines.Text(), "readyz\" address="); ok {
			address <- "http://" + a
		}
	}
}

// stop sends SIGTERM, waits for the end, and returns how long that
// took.
func (s *process) stop(t *testing.T) time.Duration {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return 0
	}
	start := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	select {
	case <-s.read:
	case <-time.After(maxWait):
		t.Error("the worker does not stop")
		_ = s.cmd.Process.Kill()
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("worker: %v", err)
	}
	if t.Failed() {
		t.Log(s.logs.String())
	}
	return time.Since(start)
}

// get returns the body of an answer with status 200.
func (s *process) get(path string) string {
	resp, err := http.Get(s.url + path)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

// shards returns how many shards this process has finished.
func (s *process) shards() int {
	for line := range strings.Lines(s.get("/metrics")) {
		if n, ok := strings.CutPrefix(line, `stevedore_attempts_total{kind="generate-thumbnails",outcome="done",phase="shard"} `); ok {
			v, _ := strconv.Atoi(strings.TrimSpace(n))
			return v
		}
	}
	return 0
}

func (p *setup) wait(t *testing.T, id string, each func(tasks.Status)) tasks.GenerateThumbnailsResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := p.client.Wait(ctx, id, each)
	if err != nil {
		t.Fatal(err)
	}
	r, err := producer.Result(s)
	if err != nil {
		t.Fatalf("%v: %+v", err, s.Failure)
	}
	return r.(tasks.GenerateThumbnailsResult)
}

func (p *setup) enqueue(t *testing.T, id string) {
	t.Helper()
	if _, err := p.client.Enqueue(t.Context(), tasks.GenerateThumbnails{Source: p.store, Size: 32}, producer.WithID(id)); err != nil {
		t.Fatal(err)
	}
}

// Two processes share the shards of one job; a second job writes
// nothing.
func TestTwoProcessesShareAJob(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	const images = 1600 // at least 8 shards
	p := newSetup(t, images)
	a, b := p.startProcess(t), p.startProcess(t)
	p.enqueue(t, "first")
	if r := p.wait(t, "first", nil); r.Written != images || r.Failed != 0 {
		t.Errorf("first run: %+v", r)
	}
	if a.shards() == 0 || b.shards() == 0 || a.shards()+b.shards() < images/200 {
		t.Errorf("the processes did %d and %d shards, want %d at least", a.shards(), b.shards(), images/200)
	}
	if n := p.count(t, ".jpg"); n != images {
		t.Errorf("%d thumbnails in the bucket", n)
	}
	p.enqueue(t, "second")
	if r := p.wait(t, "second", nil); r.Written != 0 || r.Unchanged != images {
		t.Errorf("second run: %+v", r)
	}
}

// SIGTERM in the middle of a shard: the process ends soon and without
// an error, the other one finishes the job, and nothing is lost.
func TestTermLosesNothing(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	const images = 1600
	p := newSetup(t, images)
	a, b := p.startProcess(t), p.startProcess(t)
	p.enqueue(t, "job")
	var took time.Duration
	r := p.wait(t, "job", func(s tasks.Status) {
		if took == 0 && s.Progress.Shards >= 1 && !s.State.Final() {
			took = a.stop(t)
		}
	})
	if took == 0 || took > 3*time.Second {
		t.Errorf("the stopped process took %v", took)
	}
	if r.Written+r.Unchanged != images || r.Failed != 0 || p.count(t, ".jpg") != images {
		t.Errorf("%+v, %d thumbnails", r, p.count(t, ".jpg"))
	}
	if b.shards() == 0 {
		t.Error("the other process did nothing")
	}
}

// Redis restarts in the middle of a job.
func TestRedisRestartUnderProcesses(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	const images = 1600
	p := newSetup(t, images)
	p.startProcess(t)
	p.startProcess(t)
	p.enqueue(t, "job")
	restarted := false
	r := p.wait(t, "job", func(s tasks.Status) {
		if !restarted && s.Progress.Shards >= 2 && !s.State.Final() {
			restarted = true
			p.redis.Down()
			p.redis.Up()
		}
	})
	// After a second run of a shard, its thumbnails would count as
	// unchanged.
	if !restarted || r.Written != images || r.Failed != 0 {
		t.Errorf("restarted %v, %+v", restarted, r)
	}
}
