package worker_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// A worker writes one line when it starts, and one at the start and the
// end of each job. The lines use the same keys, and seconds for times.
func TestLogOfAJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	var log lockedBuffer
	conf := newConfig(t, o)
	conf.Log = slog.New(slog.NewJSONHandler(&log, nil))
	p := startWorker(t, conf, testJobs{manifest: &countingJob{shards: 3}})
	c := newClient(t, o)
	j := tasks.BuildManifest{Source: tasks.Storage{Provider: "mem", Bucket: "b", Prefix: "x/", DisplayName: "Photos"}}
	if _, err := c.Enqueue(t.Context(), j, producer.WithID("m"), producer.WithTenant("acme")); err != nil {
		t.Fatal(err)
	}
	waitForJob(t, c, "m", 20*time.Second)
	queuetest.Eventually(t, 10*time.Second, "the end is in the log", func() bool {
		return strings.Contains(log.String(), `"job ended"`)
	})
	p.stop()

	lines := map[string][]map[string]any{}
	for text := range strings.Lines(log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if line["worker"] == "" || line["worker"] == nil || line["took"] != nil {
			t.Errorf("no worker, or a time in nanoseconds: %s", text)
		}
		message := line["msg"].(string)
		lines[message] = append(lines[message], line)
	}
	for message, want := range map[string]map[string]any{
		"worker started": {"redis": o.String()},
		"job started":    {"job": "m", "kind": "build-manifest", "bucket": "mem://b", "display_name": "Photos", "tenant": "acme"},
		"job ended": {
			"job": "m", "kind": "build-manifest", "bucket": "mem://b", "display_name": "Photos", "tenant": "acme",
			"state": "succeeded", "objects": 30.0, "failed": 3.0, "warnings": 0.0,
		},
	} {
		if len(lines[message]) != 1 {
			t.Errorf("%d lines %q:\n%s", len(lines[message]), message, log.String())
			continue
		}
		line := lines[message][0]
		for key, value := range want {
			if line[key] != value {
				t.Errorf("%q: %s is %v, want %v", message, key, line[key], value)
			}
		}
	}
	if len(lines["job ended"]) == 1 {
		if took, ok := lines["job ended"][0]["seconds"].(float64); !ok || took <= 0 || took > 60 {
			t.Errorf("the job took %v", took)
		}
	}
	if len(lines["worker started"]) == 1 {
		start := lines["worker started"][0]
		slots, _ := start["slots"].(map[string]any)
		queues, _ := start["queues"].([]any)
		if slots["jobs"] != 2.0 || len(queues) != len(tasks.Queues()) || start["version"] == nil {
			t.Errorf("%v", start)
		}
	}
	if n := metric(t, "jobs_finished_total", "bucket", "mem://b", conf.Registry); n != 1 {
		t.Errorf("%v jobs on the bucket", n)
	}
	if n := metric(t, "objects_processed_total", "tenant", "acme", conf.Registry); n != 30 {
		t.Errorf("%v objects of the tenant", n)
	}
}

// lockedBuffer holds a log that several goroutines write.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
