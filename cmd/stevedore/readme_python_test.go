package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// The README's program in Python enqueues a job that a worker runs to
// its end, and only once. Its message is what asynq itself reads.
func TestReadmePython(t *testing.T) {
	t.Parallel()
	skipInShort(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("REQUIRE_SERVICES") == "1" {
			t.Fatal(err)
		}
		t.Skip("there is no python3")
	}
	_, program, _ := strings.Cut(readme(t), "```python\n")
	program, _, ok := strings.Cut(program, "```")
	path := filepath.Join(t.TempDir(), "enqueue.py")
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil || !ok {
		t.Fatal(ok, err)
	}

	dir, o := drawDataset(t), queuetest.Embedded(t)
	environ := []string{
		redisURL(o), "STEVEDORE_FILE_ROOTS=" + dir, "STEVEDORE_HTTP_ADDR=", "STEVEDORE_LOG_LEVEL=error",
	}
	payload := `{"source": {"provider": "file", "bucket": "` + dir + `", "prefix": "` + dataset.Prefix + `", "display_name": "写真"}}`
	enqueue := func() string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), python, path, "import-43")
		cmd.Env, cmd.Stdin = environ, strings.NewReader(payload)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if first, second := enqueue(), enqueue(); first != "True" || second != "False" {
		t.Errorf("enqueued: %s, then %s", first, second)
	}
	checkPythonTask(t, asynq.NewInspector(o))
	if out, _ := want(t.Context(), t, cli.ExitOK, environ, "status", "import-43"); !strings.Contains(out, "queued") || !strings.Contains(out, "写真") {
		t.Errorf("before a worker has it:\n%s", out)
	}
	ctx, stop := startWorker(t, environ)
	if out, _ := want(ctx, t, cli.ExitOK, environ, "wait", "import-43"); !strings.Contains(out, "succeeded") {
		t.Errorf("%s", out)
	}
	if log := stop(); log != "" {
		t.Errorf("the worker's log:\n%s", log)
	}
}

func checkPythonTask(t *testing.T, inspector *asynq.Inspector) {
	t.Helper()
	defer func() { _ = inspector.Close() }()
	info, err := inspector.GetTaskInfo(tasks.QueueJobs, "import-43")
	if err != nil {
		t.Fatal(err)
	}
	k, err := tasks.Lookup(info.Type)
	if err != nil || info.Timeout <= k.Policy.Timeout || info.MaxRetry < 25 || info.Retention != k.Policy.Keep {
		t.Errorf("%+v, %v", info, err)
	}
}
