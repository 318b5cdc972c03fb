package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/file"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	manifestjob "github.com/stevedore-jobs/stevedore/worker/manifest" //nolint:depguard // chaos must not change the output of a real job
	"github.com/stevedore-jobs/stevedore/worker/memory"               //nolint:depguard // of that job
)

// buildTo returns a job that writes its manifest into a directory of
// the test.
func buildTo(t testing.TB) tasks.BuildManifest {
	t.Helper()
	return tasks.BuildManifest{
		Source:      storage,
		Destination: &tasks.Storage{Provider: "file", Bucket: t.TempDir()},
	}
}

// output is what a job leaves behind.
type output struct {
	result   tasks.BuildManifestResult
	manifest []byte
	errors   []tasks.ObjectError // the error list
}

// expectedOutput computes what a job must leave behind, without engine,
// queue and shards.
func expectedOutput(t testing.TB, b simulation, j tasks.BuildManifest) (o output) {
	t.Helper()
	j.Destination = &tasks.Storage{Provider: "file", Bucket: t.TempDir()}
	files, err := file.New(j.Destination.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	b.Read, b.Page, b.Killer = 0, 0, ""
	if b.Order != 0 {
		b.Order = keyorder.Bytes
	}
	registry := providers.Registry{"mem": b, "file": files}
	env := job.Env{
		ID:       "expected",
		Log:      slog.New(slog.DiscardHandler),
		Parallel: 4,
		Open: func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
			return registry.Open(ctx, s, providers.Secrets{})
		},
	}
	all := job.Shard{Through: b.key(b.Objects - 1), Objects: int64(b.Objects)}
	var items []job.Item
	for i, err := range manifestjob.New(memory.New(64<<20)).Work(t.Context(), j, env, all) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, i)
		if i.Error != nil {
			o.errors = append(o.errors, *i.Error)
		}
	}
	r, err := manifestjob.New(memory.New(64<<20)).Finish(t.Context(), j, env, jobtest.Parts(items))
	if err != nil {
		t.Fatal(err)
	}
	o.result, o.manifest = r.(tasks.BuildManifestResult), manifestOf(t, j)
	o.result.Changes = &results.ManifestChanges{Added: o.result.Entries}
	return o
}

// manifestOf reads the manifest that a job has written.
func manifestOf(t testing.TB, j tasks.BuildManifest) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(j.Destination.Bucket, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lineOf returns where the entry of an object begins and ends in a
// manifest.
func lineOf(t testing.TB, data []byte, key string) [2]int {
	t.Helper()
	name := strings.TrimSuffix(key, filepath.Ext(key))
	at := bytes.Index(data, []byte(`{"name":"`+name+`"`))
	if at < 0 {
		t.Fatalf("no entry of %s", key)
	}
	return [2]int{at, at + bytes.IndexByte(data[at:], '\n') + 1}
}

// checkOneEnd checks that all events that end a job are one and the
// same, and that it has succeeded.
func checkOneEnd(t *testing.T, o redisconn.Options, id string) {
	t.Helper()
	ends := map[string]int{}
	for _, e := range readEvents(t, o, id) {
		if e.Type.Final() {
			ends[fmt.Sprintf("%s %s", e.ID, e.Type)]++
		}
	}
	if len(ends) != 1 || ends[queue.EventID(id, 0, "end")+" succeeded"] == 0 {
		t.Errorf("the ends of the job: %v", ends)
	}
}

// readEvents reads all events of a job. Redis may have restarted a
// moment ago.
func readEvents(t testing.TB, o redisconn.Options, id string) (list []tasks.Event) {
	t.Helper()
	r := o.Client()
	defer func() { _ = r.Close() }()
	var all []redis.XMessage
	queuetest.Eventually(t, 10*time.Second, "the stream is read", func() bool {
		var err error
		all, err = r.XRange(t.Context(), queue.EventsStream, "-", "+").Result()
		return err == nil
	})
	for _, m := range all {
		e, err := queue.DecodeEvent(m)
		if err != nil {
			t.Fatal(err)
		}
		if e.Job == id {
			list = append(list, e.Event)
		}
	}
	return list
}
