package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/file"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	manifestjob "github.com/stevedore-jobs/stevedore/worker/manifest" //nolint:depguard // as in chaos_process_test.go
)

// chaosVariable set to "full" makes the tests of this file as large as
// deploy/test.sh --chaos wants them.
const chaosVariable = "STEVEDORE_CHAOS"

// havoc is how large a chaos test is.
type havoc struct {
	bucket          simulation
	workers, slots  int
	kills, restarts int           // of workers and of Redis, at least
	every           time.Duration // between two of them, about
	limit           time.Duration
}

func chaosSize() havoc {
	if os.Getenv(chaosVariable) == "full" {
		return havoc{
			bucket:  simulation{Objects: 1_000_000, Read: 4 * time.Millisecond, Page: 15 * time.Millisecond},
			workers: 4, slots: 2, kills: 10, restarts: 4, every: 5 * time.Second, limit: 15 * time.Minute,
		}
	}
	return havoc{
		bucket:  simulation{Objects: 40_000, Read: 10 * time.Millisecond, Page: 40 * time.Millisecond},
		workers: 3, slots: 2, kills: 3, restarts: 1, every: 2500 * time.Millisecond, limit: 3 * time.Minute,
	}
}

// Workers and Redis are killed without warning, again and again, until the
// job ends. It ends as if nothing had happened.
func TestChaos(t *testing.T) {
	t.Parallel()
	size := chaosSize()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d objects, %d workers", seed, size.bucket.Objects, size.workers)
	c := &chaos{havoc: size, random: rand.New(rand.NewPCG(seed, 0)), redis: queuetest.Start(t), job: buildTo(t)}
	c.fleet = newFleet(t, setup{
		Redis: c.redis.Options().Addr, Dir: c.job.Destination.Bucket, Bucket: size.bucket, Slots: size.slots, Parallel: 8, Write: time.Second,
	}, size.workers)
	c.client = client(t, c.redis.Options())
	began := time.Now()
	c.enqueue(t)
	s := c.rage(t)
	t.Logf("%v: killed %d workers (%v) and Redis %d times; %d shards replaced, %d take-overs", time.Since(began).Round(time.Second),
		c.killed, c.while, c.restarted, c.fleet.logged("shard replaced"), c.fleet.logged("job taken over"))
	if c.killed < size.kills || c.restarted < size.restarts {
		t.Errorf("only %d workers and %d times Redis were killed before the job ended", c.killed, c.restarted)
	}
	c.verify(t, s, undisturbed(t, size.bucket, c.job))
	onlyEnd(t, c.redis.Options(), "chaos")
}

// chaos is a chaos test under way.
type chaos struct {
	havoc
	random            *rand.Rand
	redis             *queuetest.Redis
	fleet             *fleet
	client            *producer.Client
	job               tasks.BuildManifest
	killed, restarted int
	while             map[tasks.State]int // kills of workers by the state that the job was in
}

// buildTo is a job that writes its manifest into a directory of the test's.
func buildTo(t testing.TB) tasks.BuildManifest {
	t.Helper()
	return tasks.BuildManifest{
		Source: storage, Destination: &tasks.Storage{Provider: "file", Bucket: t.TempDir()},
	}
}

func (c *chaos) enqueue(t *testing.T) {
	t.Helper()
	if _, err := c.client.Enqueue(t.Context(), c.job, producer.WithID("chaos")); err != nil {
		t.Fatal(err)
	}
}

// rage kills until the job is nearly done. The coordinator is killed once
// while it plans and once while it finishes, if it takes the time: who it is
// shows after 5 seconds.
func (c *chaos) rage(t *testing.T) (s tasks.Status) {
	t.Helper()
	c.while = map[tasks.State]int{}
	next := time.Now().Add(c.pause())
	queuetest.Eventually(t, c.limit, "the job ends", func() bool {
		var err error
		if s, err = c.client.Status(t.Context(), "chaos"); err != nil {
			t.Fatal(err)
		}
		switch {
		case s.State.Final():
			return true
		case s.State != tasks.StateRunning && c.while[s.State] == 0:
			if i, ok := c.fleet.coordinator("chaos"); ok {
				c.strike(s.State, i)
			}
		case time.Now().After(next) && s.State == tasks.StateRunning && !c.enough(s.Progress):
			c.wreck(t, s.State)
			next = time.Now().Add(c.pause())
		}
		return false
	})
	return s
}

// enough reports whether the job may now come to its end.
func (c *chaos) enough(p tasks.Progress) bool {
	return c.killed >= c.kills && c.restarted >= c.restarts && p.Objects > int64(c.bucket.Objects)*9/10
}

// pause is the time to the next kill: it averages at every. When there were
// enough kills it is longer: if no process lived for half a minute, nobody
// would ever be found dead.
func (c *chaos) pause() time.Duration {
	d := c.every/2 + time.Duration(c.random.Int64N(int64(c.every)))
	if c.killed >= c.kills {
		d += 3 * c.every
	}
	return d
}

// wreck kills Redis after every so many workers, and each worker in turn.
func (c *chaos) wreck(t *testing.T, s tasks.State) {
	t.Helper()
	if (c.restarted+1)*c.kills <= c.killed*c.restarts {
		c.redis.Kill()
		_ = elapse(t.Context(), time.Second+time.Duration(c.random.Int64N(int64(time.Second))))
		c.redis.Up()
		c.restarted++
		return
	}
	c.strike(s, c.killed%c.workers)
}

func (c *chaos) strike(s tasks.State, worker int) {
	c.fleet.replace(worker)
	c.killed++
	c.while[s]++
}

// outcome is what a job leaves behind.
type outcome struct {
	result   tasks.BuildManifestResult
	manifest []byte
	faults   []tasks.ObjectError
}

// undisturbed computes what a job must leave behind, without engine, queue
// and shards.
func undisturbed(t testing.TB, b simulation, j tasks.BuildManifest) (o outcome) {
	t.Helper()
	j.Destination = &tasks.Storage{Provider: "file", Bucket: t.TempDir()}
	files, err := file.New(j.Destination.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	b.Read, b.Page, b.Killer = 0, 0, ""
	env := job.Env{ID: "calm", Log: slog.New(slog.DiscardHandler), Parallel: 4, Open: func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
		opened, err := providers.Registry{"mem": b, "file": files}.Open(ctx, s, providers.Secrets{})
		if err != nil {
			return nil, err
		}
		return providers.WithPrefix(opened, s), nil
	}}
	var items []job.Item
	for i, err := range (manifestjob.Job{}).Work(t.Context(), j, env, job.Shard{Through: b.key(b.Objects - 1), Objects: int64(b.Objects)}) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, i)
		if i.Error != nil {
			o.faults = append(o.faults, *i.Error)
		}
	}
	r, err := (manifestjob.Job{}).Finish(t.Context(), j, env, jobtest.Parts(items))
	if err != nil {
		t.Fatal(err)
	}
	o.result, o.manifest = r.(tasks.BuildManifestResult), writtenBy(t, j)
	return o
}

func writtenBy(t testing.TB, j tasks.BuildManifest) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(j.Destination.Bucket, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// verify compares a job's end with what it must be.
func (c *chaos) verify(t *testing.T, s tasks.Status, want outcome) {
	t.Helper()
	r, err := producer.Result(s)
	if err != nil {
		t.Fatalf("%v: %+v", err, s.Failure)
	}
	got := r.(tasks.BuildManifestResult)
	got.Unchanged = false // it is true when the coordinator was killed between its write and its word
	if diff := cmp.Diff(want.result, got); diff != "" {
		t.Errorf("the result differs:\n%s", diff)
	}
	n := int64(c.bucket.Objects)
	if p := s.Progress; p.Objects != n || p.ObjectsTotal != n || p.Failed != int64(len(want.faults)) || p.Bytes != want.result.BytesRead {
		t.Errorf("progress %+v of %d objects, %d failed", p, n, len(want.faults))
	}
	data := writtenBy(t, c.job)
	if !bytes.Equal(data, want.manifest) {
		t.Errorf("the manifest has %d bytes, an undisturbed one %d, and they differ", len(data), len(want.manifest))
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	seen := map[string]bool{}
	for _, line := range lines[:len(lines)-1] {
		if seen[string(line)] {
			t.Fatalf("twice in the manifest: %s", line)
		}
		seen[string(line)] = true
	}
	if diff := cmp.Diff(want.faults, errorsOf(t, c.client, "chaos")); diff != "" {
		t.Errorf("the error list differs:\n%s", diff)
	}
}

// onlyEnd checks that all events that end a job are one and the same.
func onlyEnd(t *testing.T, o redisconn.Options, id string) {
	t.Helper()
	ends := map[string]int{}
	for _, e := range eventsOf(t, o, id) {
		if e.Type.Final() {
			ends[fmt.Sprintf("%s %s", e.ID, e.Type)]++
		}
	}
	if len(ends) != 1 || ends[queue.EventID(id, 0, "end")+" succeeded"] == 0 {
		t.Errorf("the job ended so: %v", ends)
	}
}

func eventsOf(t testing.TB, o redisconn.Options, id string) (list []tasks.Event) {
	t.Helper()
	r := o.Client()
	defer func() { _ = r.Close() }()
	var all []redis.XMessage
	queuetest.Eventually(t, 10*time.Second, "the stream is read", func() (ok bool) {
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

// lineOf is from where to where the entry of an object lies in a manifest.
func lineOf(t testing.TB, data []byte, key string) [2]int {
	t.Helper()
	at := bytes.Index(data, []byte(`{"name":"`+strings.TrimSuffix(key, filepath.Ext(key))+`"`))
	if at < 0 {
		t.Fatalf("no entry of %s", key)
	}
	return [2]int{at, at + bytes.IndexByte(data[at:], '\n') + 1}
}
