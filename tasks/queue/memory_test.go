package queue_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// BenchmarkMemory fills a job of a million objects, one in a hundred of which
// failed, and reports how much of Redis it takes at its largest: every part
// is in, nothing has ended yet, and all shards' tasks are still pending.
// "redis-MB" is what stays above an idle server, "peak-MB" what there was for
// a moment, with the buffers of connections and of the append-only file.
func BenchmarkMemory(b *testing.B) {
	counted := func(i int, _ *rand.Rand) string { return fmt.Sprintf("train/images/%06d/IMG_%07d", i/1000, i) }
	random := func(i int, rng *rand.Rand) string {
		return fmt.Sprintf("train/images/%06d/%016x%016x", i/1000, rng.Uint64(), rng.Uint64())
	}
	for _, c := range []struct {
		names  string
		name   func(int, *rand.Rand) string
		pieces int
	}{{"counted", counted, 1}, {"counted", counted, 4}, {"random", random, 1}} {
		b.Run(fmt.Sprintf("names=%s/pieces=%d", c.names, c.pieces), func(b *testing.B) {
			for b.Loop() {
				r := open(b, queuetest.Start(b).Options())
				ok(b, r.client.Ping(b.Context()).Err())
				idle := used(b, r, "used_memory")
				fill(b, r, c.pieces, c.name)
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

func fill(b *testing.B, r room, pieces int, name func(int, *rand.Rand) string) {
	b.Helper()
	c := begin(b, r, "0198c2b4-7d6e-7c2a-9a51-4f1d0a6b9c3e")
	client, rng := asynq.NewClientFromRedisClient(r.client), rand.New(rand.NewPCG(1, 2))
	last := ""
	for s := range fillShards {
		names := make([]string, fillObjects)
		for i := range names {
			names[i] = name(s*fillObjects+i, rng)
		}
		through := names[len(names)-1] + ".jpg"
		ok(b, r.Plan(b.Context(), c, queue.Planned{
			Index: s, Cursor: through, Objects: fillObjects,
			Shard: fmt.Appendf(nil, `{"after":%q,"through":%q,"objects":%d}`, last, through, fillObjects),
		}))
		last = through
		must[*asynq.TaskInfo](b)(client.EnqueueContext(b.Context(), queue.NewShardTask(kind, ref(c.ID, s), "")))
		must[queue.Assignment](b)(r.Start(b.Context(), ref(c.ID, s)))
		from := ""
		for p := range pieces {
			some := names[p*fillObjects/pieces : (p+1)*fillObjects/pieces]
			piece := manifest(some, rng)
			piece.From, piece.To, piece.Last, piece.Run = from, some[len(some)-1], p == pieces-1, "worker-7f9c6d5b8-x2x4q/1"
			from = piece.To
			if !commit(b, r, ref(c.ID, s), piece) {
				b.Fatal("a piece did not count")
			}
		}
	}
	if v := look(b, r, c); v.Committed.Objects != fillShards*fillObjects || v.Undone(0, 1) != nil {
		b.Fatalf("%+v", v.Committed)
	}
}

// manifest is a piece of manifest lines, with an error line for each
// hundredth.
func manifest(names []string, rng *rand.Rand) queue.Piece {
	sizes := [][2]int{{1920, 1080}, {1280, 720}, {4032, 3024}, {3024, 4032}, {1024, 768}}
	var text bytes.Buffer
	p := queue.Piece{Objects: int64(len(names)), Bytes: int64(len(names)) * 65536, Tally: map[string]int64{"jpeg": int64(len(names))}, Budget: budget}
	for i, n := range names {
		size := sizes[rng.IntN(len(sizes))]
		fmt.Fprintf(&text, `{"name":%q,"extension":".jpg","width":%d,"height":%d}`+"\n", n, size[0], size[1])
		if i%100 == 0 {
			p.Errors = append(p.Errors, tasks.ObjectError{Key: n + ".jpg", Code: "corrupt-image", Message: "unexpected end of the file after 1234 bytes"})
		}
	}
	p.Data = text.Bytes()
	return p
}

// used is a number out of INFO memory.
func used(b *testing.B, r room, field string) int64 {
	b.Helper()
	for line := range strings.Lines(must[string](b)(r.client.Info(b.Context(), "memory").Result())) {
		if value, found := strings.CutPrefix(line, field+":"); found {
			return must[int64](b)(strconv.ParseInt(strings.TrimSpace(value), 10, 64))
		}
	}
	b.Fatalf("INFO tells no %s", field)
	return 0
}
