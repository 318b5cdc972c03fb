package queue_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// BenchmarkMemory fills a job of a million objects, one in a
// hundred of which failed. It reports the memory in Redis when
// the job is largest: all parts are committed, nothing has ended,
// and all tasks of shards are pending. "redis-MB" is the memory
// above that of an idle server. "peak-MB" is the highest for a
// moment, with the buffers of connections and of the append-only
// file.
func BenchmarkMemory(b *testing.B) {
	counted := func(i int, _ *rand.Rand) string { return fmt.Sprintf("train/images/%06d/IMG_%07d", i/1000, i) }
	random := func(i int, rng *rand.Rand) string {
		return fmt.Sprintf("train/images/%06d/%016x%016x", i/1000, rng.Uint64(), rng.Uint64())
	}
	for _, c := range []struct {
		names       string
		name        func(int, *rand.Rand) string
		checkpoints int
	}{{"counted", counted, 1}, {"counted", counted, 4}, {"random", random, 1}} {
		b.Run(fmt.Sprintf("names=%s/checkpoints=%d", c.names, c.checkpoints), func(b *testing.B) {
			for b.Loop() {
				r := open(b, queuetest.Start(b).Options())
				ok(b, r.client.Ping(b.Context()).Err())
				idle := used(b, r, "used_memory")
				fill(b, r, c.checkpoints, c.name)
				const mb = 1 << 20
				b.ReportMetric(float64(used(b, r, "used_memory")-idle)/mb, "redis-MB")
				b.ReportMetric(float64(used(b, r, "used_memory_peak")-idle)/mb, "peak-MB")
			}
		})
	}
}

const (
	fillShards  = 1000
	fillObjects = 1000 // a shard
)

func fill(b *testing.B, r testStore, checkpoints int, name func(int, *rand.Rand) string) {
	b.Helper()
	l := claim(b, r, "0198c2b4-7d6e-7c2a-9a51-4f1d0a6b9c3e")
	enqueuer, rng := asynqtask.NewClient(r.client, r.client), rand.New(rand.NewPCG(1, 2))
	last := ""
	for s := range fillShards {
		names := make([]string, fillObjects)
		for i := range names {
			names[i] = name(s*fillObjects+i, rng)
		}
		through := names[len(names)-1] + ".jpg"
		ok(b, l.Plan(b.Context(), queue.PlannedShard{
			Index: s, Cursor: through, Objects: fillObjects,
			Shard: fmt.Appendf(nil, `{"after":%q,"through":%q,"objects":%d}`, last, through, fillObjects),
		}))
		last = through
		ok(b, enqueuer.EnqueueShard(b.Context(), asynqtask.Shard{
			Kind: kind, Ref: ref(l.ID, s), Queue: tasks.QueueShards,
		}))
		start(b, r, ref(l.ID, s))
		run := queue.RunOf(r.Store, ref(l.ID, s), "worker-7f9c6d5b8-x2x4q/1")
		from := ""
		for p := range checkpoints {
			some := names[p*fillObjects/checkpoints : (p+1)*fillObjects/checkpoints]
			c := manifest(some, rng)
			c.From, c.To, c.Last = from, some[len(some)-1], p == checkpoints-1
			from = c.To
			if !must[bool](b)(run.Commit(b.Context(), c)) {
				b.Fatal("a checkpoint did not count")
			}
		}
	}
	if s := heartbeat(b, l); s.Committed.Objects != fillShards*fillObjects || s.Undone(0, 1) != nil {
		b.Fatalf("%+v", s.Committed)
	}
}

// manifest is a checkpoint of manifest lines, with an error line
// for each hundredth.
func manifest(names []string, rng *rand.Rand) queue.Checkpoint {
	sizes := [][2]int{{1920, 1080}, {1280, 720}, {4032, 3024}, {3024, 4032}, {1024, 768}}
	var text bytes.Buffer
	n := int64(len(names))
	c := queue.Checkpoint{Objects: n, Bytes: n * 65536, Tally: map[string]int64{"jpeg": n}}
	for i, name := range names {
		size := sizes[rng.IntN(len(sizes))]
		fmt.Fprintf(&text, `{"name":%q,"extension":".jpg","width":%d,"height":%d}`+"\n", name, size[0], size[1])
		if i%100 == 0 {
			c.Errors = append(c.Errors, tasks.ObjectError{
				Key: name + ".jpg", Code: "corrupt-image", Message: "unexpected end of the file after 1234 bytes",
			})
		}
	}
	c.Data = text.Bytes()
	return c
}

// used returns a number from INFO memory.
func used(b *testing.B, r testStore, field string) int64 {
	b.Helper()
	for line := range strings.Lines(must[string](b)(r.client.Info(b.Context(), "memory").Result())) {
		if value, found := strings.CutPrefix(line, field+":"); found {
			return must[int64](b)(strconv.ParseInt(strings.TrimSpace(value), 10, 64))
		}
	}
	b.Fatalf("INFO has no %s", field)
	return 0
}
