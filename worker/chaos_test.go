package worker_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// chaosVariable set to "full" makes the chaos test as large as
// deploy/test.sh --chaos wants it.
const chaosVariable = "STEVEDORE_CHAOS"

// chaosOrderVariable names the order of keys that the full chaos run
// tries, instead of each order: deploy/test.sh --chaos --order ORDER.
const chaosOrderVariable = "STEVEDORE_CHAOS_ORDER"

// chaosSize is the size of a chaos test.
type chaosSize struct {
	bucket   simulation
	workers  int
	slots    int           // of each worker
	kills    int           // of workers, at least
	drains   int           // of workers, at least: they stop in good order
	restarts int           // of Redis, or failovers, at least
	every    time.Duration // average time between two kills
	limit    time.Duration // for the whole job
	write    time.Duration // how long writing the manifest takes at least
	calmEnd  bool          // nobody is killed once there were enough
	delayed  int           // jobs that wait for their time meanwhile
}

func newChaosSize() chaosSize {
	if os.Getenv(chaosVariable) == "full" {
		return chaosSize{
			bucket: simulation{
				Objects: 1_000_000,
				Read:    8 * time.Millisecond,
				Page:    15 * time.Millisecond,
			},
			workers:  4,
			slots:    2,
			kills:    10,
			restarts: 4,
			every:    5 * time.Second,
			limit:    15 * time.Minute,
			write:    time.Second,
			delayed:  delayedJobs(),
		}
	}
	return smallChaos()
}

func smallChaos() chaosSize {
	return chaosSize{
		bucket: simulation{
			Objects: 40_000,
			Read:    10 * time.Millisecond,
			Page:    40 * time.Millisecond,
		},
		workers:  3,
		slots:    2,
		kills:    3,
		restarts: 1,
		every:    2500 * time.Millisecond,
		limit:    3 * time.Minute,
		write:    time.Second,
	}
}

// Workers and Redis are killed without warning, again and again, until
// the job ends. It ends as if nothing had happened.
func TestChaos(t *testing.T) {
	t.Parallel()
	wreakChaos(t, newChaosSize(), restarted{queuetest.Start(t)})
}

// The same on a cluster, and on a server with a sentinel. A master is
// killed, and its replica takes its place. It may lack the last writes.
func TestChaosOfFailovers(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Replicateds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := newChaosSize()
			// A failover takes longer than a restart.
			size.restarts = min(size.restarts, 3)
			size.kills = size.restarts
			wreakChaos(t, size, failedOver{start(t)})
		})
	}
}

// The same on buckets that list in other orders, one after the other:
// the manifest is that of a bucket that lists by bytes.
func TestChaosOrders(t *testing.T) {
	if os.Getenv(chaosVariable) != "full" {
		t.Skip("only in the full chaos run: it takes a minute for each order")
	}
	orders := keyorder.Unknown.Each()
	if name := os.Getenv(chaosOrderVariable); name != "" {
		order, err := keyorder.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		orders = order.Each()
	}
	for _, order := range orders {
		t.Run(order.String(), func(t *testing.T) {
			size := smallChaos()
			size.bucket.Order = order
			size.bucket.Objects = 100_000
			wreakChaos(t, size, restarted{queuetest.Start(t)})
		})
	}
}

func wreakChaos(t *testing.T, size chaosSize, redis chaosRedis) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d objects, %d workers", seed, size.bucket.Objects, size.workers)
	c := &chaos{
		size:   size,
		random: rand.New(rand.NewPCG(seed, 0)),
		redis:  redis,
		job:    buildTo(t),
		during: map[tasks.State]int{},
	}
	c.fleet = startFleet(t, setup{
		Redis:    redisURL(c.redis.Options()),
		Dir:      c.job.Destination.Bucket,
		Bucket:   size.bucket,
		Slots:    size.slots,
		Parallel: 8,
		Write:    size.write,
	}, size.workers)
	c.client = newClient(t, c.redis.Options())
	if size.delayed > 0 {
		enqueueDelayed(t, c.client, size.delayed)
	}
	began := time.Now()
	if _, err := c.client.Enqueue(t.Context(), c.job, producer.WithID("chaos")); err != nil {
		t.Fatal(err)
	}
	s := c.killUntilEnd(t)
	t.Logf("%v: killed %d workers (%v) and Redis %d times, drained %d; %d shards replaced, %d take-overs",
		time.Since(began).Round(time.Second), c.kills, c.during, c.restarts, c.drains,
		c.fleet.countLogged("shard replaced"), c.fleet.countLogged("job taken over"))
	if c.kills < size.kills || c.restarts < size.restarts || c.drains < size.drains {
		t.Errorf("only %d workers and %d times Redis were killed, and %d drained before the job ended",
			c.kills, c.restarts, c.drains)
	}
	c.check(t, s, expectedOutput(t, size.bucket, c.job))
	checkOneEnd(t, c.redis.Options(), "chaos")
}

// chaos is a chaos test under way.
type chaos struct {
	size     chaosSize
	random   *rand.Rand
	redis    chaosRedis
	fleet    *fleet
	client   *producer.Client
	job      tasks.BuildManifest
	kills    int                 // of workers so far
	restarts int                 // of Redis so far
	drains   int                 // of workers so far
	during   map[tasks.State]int // kills of workers by the state that the job was in
}

// killUntilEnd kills until the job is nearly done. It kills the
// coordinator once while it plans, and once while it finishes, if that
// takes long enough: which process coordinates is known after 5
// seconds.
func (c *chaos) killUntilEnd(t *testing.T) (s tasks.Status) {
	t.Helper()
	next := time.Now().Add(c.pause())
	queuetest.Eventually(t, c.size.limit, "the job ends", func() bool {
		var err error
		s, err = c.client.Status(t.Context(), "chaos")
		if errors.Is(err, redisconn.ErrUnavailable) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case s.State.Final():
			return true
		case s.State != tasks.StateRunning && c.during[s.State] == 0 && !c.size.calmEnd:
			if i, ok := c.fleet.coordinator("chaos"); ok {
				c.killWorker(s.State, i)
			}
		case time.Now().After(next) && s.State == tasks.StateRunning && !c.enough(s.Progress):
			c.killNext(t, s.State)
			next = time.Now().Add(c.pause())
		}
		return false
	})
	return s
}

// enough reports whether the job may now come to its end.
func (c *chaos) enough(p tasks.Progress) bool {
	return c.kills >= c.size.kills && c.restarts >= c.size.restarts && c.drains >= c.size.drains &&
		(c.size.calmEnd || p.Objects > int64(c.size.bucket.Objects)*9/10)
}

// pause returns the time to the next kill. It is longer once there were
// enough kills: if no process lived for half a minute, no worker would
// ever count as dead.
func (c *chaos) pause() time.Duration {
	d := c.size.every/2 + time.Duration(c.random.Int64N(int64(c.size.every)))
	if c.kills >= c.size.kills {
		d += 3 * c.size.every
	}
	return d
}

// killNext kills Redis, then some workers in turn, and so on. Between
// them workers are drained.
func (c *chaos) killNext(t *testing.T, s tasks.State) {
	t.Helper()
	if c.drains*c.size.kills < (c.kills+1)*c.size.drains {
		c.fleet.drain((c.kills + c.drains) % c.size.workers)
		c.drains++
		return
	}
	if c.size.restarts == 0 || c.restarts*c.size.kills > c.kills*c.size.restarts {
		c.killWorker(s, c.kills%c.size.workers)
		return
	}
	c.redis.fail(t, c)
	c.restarts++
}

func (c *chaos) killWorker(s tasks.State, worker int) {
	c.fleet.replace(worker)
	c.kills++
	c.during[s]++
}

// check compares what the job has left behind with what it must be.
func (c *chaos) check(t *testing.T, s tasks.Status, want output) {
	t.Helper()
	r, err := producer.Result(s)
	if err != nil {
		t.Fatalf("%v: %+v", err, s.Failure)
	}
	got := r.(tasks.BuildManifestResult)
	// It is true if the coordinator was killed after it wrote the
	// manifest and before it published the result.
	got.Unchanged = false
	if diff := cmp.Diff(want.result, got); diff != "" {
		t.Errorf("the result differs:\n%s", diff)
	}
	n := int64(c.size.bucket.Objects)
	if p := s.Progress; p.Objects != n || p.ObjectsTotal != n ||
		p.Failed != int64(len(want.errors)) || p.Bytes != want.result.BytesRead {
		t.Errorf("progress %+v of %d objects, %d failed", p, n, len(want.errors))
	}
	data := manifestOf(t, c.job)
	if !bytes.Equal(data, want.manifest) {
		t.Errorf("the manifest has %d bytes, the expected one %d, and they differ",
			len(data), len(want.manifest))
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	seen := map[string]bool{}
	for _, line := range lines[:len(lines)-1] {
		if seen[string(line)] {
			t.Fatalf("twice in the manifest: %s", line)
		}
		seen[string(line)] = true
	}
	errs := errorList(t, c.client, "chaos")
	slices.SortFunc(errs, func(x, y tasks.ObjectError) int { return keyorder.Bytes.Compare(x.Key, y.Key) })
	if diff := cmp.Diff(want.errors, errs); diff != "" {
		t.Errorf("the error list differs:\n%s", diff)
	}
}
