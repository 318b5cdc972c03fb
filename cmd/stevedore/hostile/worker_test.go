package hostile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// binary builds the program once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "stevedore-hostile-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "stevedore")
	out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// attempt is a line of the worker's log about an attempt that has
// ended.
type attempt struct {
	Time    time.Time `json:"time"`
	Message string    `json:"msg"`
	Job     string    `json:"job"`
	Phase   string    `json:"phase"`
	Outcome string    `json:"outcome"`
}

// end says how far the attempts at a job have ended.
type end struct {
	last time.Time // the last attempt at the job or at one of its shards
	job  bool      // an attempt at the job itself has ended
}

// worker is a worker in a process of its own.
type worker struct {
	cmd   *exec.Cmd
	ready chan struct{} // closed when it serves
	ended chan struct{} // closed at the end of the log

	mu   sync.Mutex
	ends map[string]end // by job
	tail []string       // the last lines of the log
}

// maxTail is how many lines of a worker's log a failure shows.
const maxTail = 40

// startWorker starts a worker with some settings, and waits until it
// is ready.
func startWorker(t testing.TB, environ []string) (*worker, error) {
	t.Helper()
	path, err := binary()
	if err != nil {
		return nil, err
	}
	w := &worker{
		cmd: exec.Command(path, "worker"), ends: map[string]end{},
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	w.cmd.Env = append(os.Environ(), environ...)
	log, err := w.cmd.StderrPipe()
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.ended
		_ = w.cmd.Wait()
	})
	go w.read(log)
	select {
	case <-w.ready:
		return w, nil
	case <-w.ended:
		return w, fmt.Errorf("the worker has ended:\n%s", w.lastLines())
	case <-time.After(time.Minute):
		return w, errors.New("the worker did not start")
	}
}

func (w *worker) read(log io.Reader) {
	defer close(w.ended)
	started := false
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var line attempt
		_ = json.Unmarshal(lines.Bytes(), &line)
		if line.Message == "worker started" && !started {
			started = true
			close(w.ready)
		}
		w.add(line, lines.Text())
	}
}

func (w *worker) add(line attempt, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if line.Message == "attempt" && line.Outcome != "obsolete" { // which did nothing
		w.ends[line.Job] = end{line.Time, w.ends[line.Job].job || line.Phase == "job"}
	}
	w.tail = append(w.tail, text[:min(len(text), 2000)])
	w.tail = w.tail[max(0, len(w.tail)-maxTail):]
}

func (w *worker) lastLines() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.tail, "\n")
}

func (w *worker) endOf(job string) end {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ends[job]
}

func (w *worker) alive() bool {
	select {
	case <-w.ended:
		return false
	default:
		return true
	}
}

// stop sends SIGTERM and returns how long the worker took to end.
func (w *worker) stop(limit time.Duration) (time.Duration, error) {
	begun := time.Now()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	select {
	case <-w.ended:
		return time.Since(begun), nil
	case <-time.After(limit):
		return time.Since(begun), fmt.Errorf("still running after %s", limit)
	}
}

// resident returns the resident memory of the worker in bytes.
func (w *worker) resident() int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.cmd.Process.Pid))
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// settings returns the environment of a worker.
func settings(t testing.TB, r *queuetest.Redis, endpoints map[string]string, dir string) []string {
	t.Helper()
	return []string{
		"STEVEDORE_REDIS_URL=redis://" + r.Options().Addr, "STEVEDORE_HTTP_ADDR=127.0.0.1:0",
		"STEVEDORE_EGRESS_ALLOW=127.0.0.1", "STEVEDORE_SECRETS_ALLOW=file:" + dir + "/*",
		"STEVEDORE_LOG_LEVEL=debug", "STEVEDORE_LOG_FORMAT=json",
		"STEVEDORE_MEMORY_BUDGET=256MiB", fmt.Sprintf("STEVEDORE_PARTS_BUDGET=%dMiB", partsBudget>>20),
		"STEVEDORE_SHARD_SLOTS=" + strconv.Itoa(shardSlots),
		"STEVEDORE_STS_ENDPOINT=" + endpoints["s3"] + "/sts",
		"STEVEDORE_GCS_TOKEN_URL=" + endpoints["gcs"] + "/token",
		"AWS_ACCESS_KEY_ID=AKIAWORKER", "AWS_SECRET_ACCESS_KEY=worker-secret", "AWS_EC2_METADATA_DISABLED=true",
	}
}
