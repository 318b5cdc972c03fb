package worker_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

const (
	// maxRecovery is how long after a worker's death its work may take
	// to continue elsewhere.
	maxRecovery = 35 * time.Second
	// recoveryMargin is added on a busy machine.
	recoveryMargin = 10 * time.Second
)

// A worker is killed while it works on shards. Another one continues
// them soon.
func TestRecovery_Shards(t *testing.T) {
	t.Parallel()
	r := newRecoveryTest(t)
	victim := r.notCoordinator(t)
	r.measure(t, victim, "shards", r.shardsMoved)
}

// The worker that coordinates a job, and works on its shards too, is
// killed. Another one takes the job over.
func TestRecovery_Coordinator(t *testing.T) {
	t.Parallel()
	r := newRecoveryTest(t)
	victim := -1
	queuetest.Eventually(t, 20*time.Second, "the coordinator is known", func() (ok bool) {
		victim, ok = r.fleet.coordinator("job")
		return ok && len(r.shards(victim)) > 0
	})
	r.measure(t, victim, "shards of the coordinator", func(lost map[int]bool) bool {
		return r.field("job", "job", "epoch") == "2" && r.shardsMoved(lost)
	})
}

// The worker of a single job is killed. Another one runs the job again.
func TestRecovery_SingleJob(t *testing.T) {
	t.Parallel()
	r := newRecoveryTest(t)
	if _, err := r.client.Enqueue(t.Context(), verify, producer.WithID("single")); err != nil {
		t.Fatal(err)
	}
	victim := -1
	queuetest.Eventually(t, 20*time.Second, "a worker has the job", func() (ok bool) {
		victim, ok = r.fleet.coordinator("single")
		return ok
	})
	r.measure(t, victim, "a single job", func(map[int]bool) bool {
		return r.field("single", "job", "epoch") == "2"
	})
}

// recoveryTest is two workers that work for a long time on the six
// shards of a job, while very many other jobs wait for their time.
type recoveryTest struct {
	fleet  *fleet
	client *producer.Client
	redis  redis.UniversalClient
	t      *testing.T
}

func newRecoveryTest(t *testing.T) recoveryTest {
	t.Helper()
	o := queuetest.Start(t).Options()
	j := buildTo(t)
	f := startFleet(t, setup{
		Redis:    redisURL(o),
		Dir:      j.Destination.Bucket,
		Bucket:   simulation{Objects: 6000, Read: 500 * time.Millisecond},
		Slots:    4,
		Parallel: 4,
	}, 2)
	r := recoveryTest{f, newClient(t, o), o.Client(), t}
	t.Cleanup(func() { _ = r.redis.Close() })
	enqueueDelayed(t, r.client, delayedJobs())
	if _, err := r.client.Enqueue(t.Context(), j, producer.WithID("job")); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, 30*time.Second, "both work on shards", func() bool {
		a, b := len(r.shards(0)), len(r.shards(1))
		return a > 0 && b > 0 && a+b >= 6
	})
	return r
}

// shards returns the shards that a process says it works on.
func (r recoveryTest) shards(process int) map[int]bool {
	shards := map[int]bool{}
	r.fleet.eachRunning(func(i int, task string) {
		if i == process && isShard(task) {
			n, _ := strconv.Atoi(strings.Split(task, ":")[2])
			shards[n] = true
		}
	})
	return shards
}

// notCoordinator returns the process that has shards and does not
// coordinate.
func (r recoveryTest) notCoordinator(t *testing.T) (process int) {
	t.Helper()
	queuetest.Eventually(t, 20*time.Second, "the coordinator is known", func() bool {
		c, ok := r.fleet.coordinator("job")
		process = 1 - c
		return ok && len(r.shards(process)) > 0
	})
	return process
}

// measure kills a process, starts another in its place, and waits until
// its work continues.
func (r recoveryTest) measure(
	t *testing.T, victim int, what string, moved func(lost map[int]bool) bool,
) {
	t.Helper()
	lost := r.shards(victim)
	killed := time.Now()
	r.fleet.replace(victim)
	limit := maxRecovery + recoveryMargin
	queuetest.Eventually(t, limit, what+" continue elsewhere", func() bool { return moved(lost) })
	t.Logf("%s: from kill to the queue or elsewhere %.1f s (%d shards)",
		what, time.Since(killed).Seconds(), len(lost))
	queuetest.Eventually(t, time.Minute, "they run", func() bool { return r.shardsContinue(lost) })
	s, err := r.client.Status(t.Context(), "job")
	if err != nil || s.State != tasks.StateRunning {
		t.Errorf("the job is %+v, %v", s, err)
	}
}

// shardsMoved reports whether all these shards are on the queue anew.
// Other shards may wait there too: a free slot takes the first.
func (r recoveryTest) shardsMoved(lost map[int]bool) bool {
	for n := range lost {
		if !r.isReplaced(n) {
			return false
		}
	}
	return len(lost) > 0
}

func (r recoveryTest) isReplaced(shard int) bool {
	generation, _ := strconv.Atoi(r.field("job", "runs", strconv.Itoa(shard)+":g"))
	return generation > 0
}

// shardsContinue reports whether new runs of all these shards send
// heartbeats.
func (r recoveryTest) shardsContinue(lost map[int]bool) bool {
	for n := range lost {
		if r.field("job", "runs", strconv.Itoa(n)+":b") == "" {
			return false
		}
	}
	return true
}

// field reads a field of a job's keys in Redis.
func (r recoveryTest) field(id, key, field string) string {
	return r.redis.HGet(r.t.Context(), "stevedore:{"+id+"}:"+key, field).Val()
}
