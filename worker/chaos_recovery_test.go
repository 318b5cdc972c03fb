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
	// recovery is how long after its worker's death at most the work goes on
	// elsewhere. A busy machine gets some more.
	recovery = 35 * time.Second
	margin   = 10 * time.Second
)

// A worker is killed while it works on shards: another goes on with them, and
// soon.
func TestRecovery_Shards(t *testing.T) {
	t.Parallel()
	r := newRecovery(t)
	victim := r.others(t)
	r.measure(t, victim, "shards", r.shardsMoved)
}

// The worker that coordinates a job, and works on its shards too, is killed:
// another takes the job over.
func TestRecovery_Coordinator(t *testing.T) {
	t.Parallel()
	r := newRecovery(t)
	victim := -1
	queuetest.Eventually(t, 20*time.Second, "the coordinator is known", func() (ok bool) {
		victim, ok = r.fleet.coordinator("job")
		return ok && r.works(victim) > 0
	})
	r.measure(t, victim, "shards of the coordinator", func(lost map[int]bool) bool {
		return r.field("job", "job", "epoch") == "2" && r.shardsMoved(lost)
	})
}

// The worker of a single job is killed: another begins it again.
func TestRecovery_SingleJob(t *testing.T) {
	t.Parallel()
	r := newRecovery(t)
	if _, err := r.client.Enqueue(t.Context(), verify, producer.WithID("single")); err != nil {
		t.Fatal(err)
	}
	victim := -1
	queuetest.Eventually(t, 20*time.Second, "a worker has the job", func() (ok bool) {
		victim, ok = r.fleet.coordinator("single")
		return ok
	})
	r.measure(t, victim, "a single job", func(map[int]bool) bool { return r.field("single", "job", "epoch") == "2" })
}

// recoveryTest is two workers that are busy for long with the six shards of a
// job.
type recoveryTest struct {
	fleet  *fleet
	client *producer.Client
	redis  redis.UniversalClient
	t      *testing.T
}

func newRecovery(t *testing.T) recoveryTest {
	t.Helper()
	o := queuetest.Start(t).Options()
	j := buildTo(t)
	bucket := simulation{Objects: 6000, Read: 500 * time.Millisecond}
	f := newFleet(t, setup{Redis: o.Addr, Dir: j.Destination.Bucket, Bucket: bucket, Slots: 4, Parallel: 4}, 2)
	r := recoveryTest{f, client(t, o), o.Client(), t}
	t.Cleanup(func() { _ = r.redis.Close() })
	if _, err := r.client.Enqueue(t.Context(), j, producer.WithID("job")); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, 30*time.Second, "both work on shards", func() bool { return r.works(0)+r.works(1) == 6 })
	return r
}

// works is on how many shards a process works.
func (r recoveryTest) works(process int) int { return len(r.shards(process)) }

// shards are those that a process has said to work on.
func (r recoveryTest) shards(process int) map[int]bool {
	shards := map[int]bool{}
	r.fleet.running(func(i int, task string) {
		if i == process && isShard(task) {
			n, _ := strconv.Atoi(strings.Split(task, ":")[2])
			shards[n] = true
		}
	})
	return shards
}

// others is a process that has shards and does not coordinate.
func (r recoveryTest) others(t *testing.T) (victim int) {
	t.Helper()
	queuetest.Eventually(t, 20*time.Second, "the coordinator is known", func() bool {
		c, ok := r.fleet.coordinator("job")
		victim = 1 - c
		return ok && r.works(victim) > 0
	})
	return victim
}

// measure kills a process, starts another in its place, and waits until its
// work goes on.
func (r recoveryTest) measure(t *testing.T, victim int, what string, moved func(lost map[int]bool) bool) {
	t.Helper()
	lost := r.shards(victim)
	killed := time.Now()
	r.fleet.replace(victim)
	queuetest.Eventually(t, recovery+margin, what+" go on elsewhere", func() bool { return moved(lost) })
	t.Logf("%s: killed to going on elsewhere %.1f s (%d shards)", what, time.Since(killed).Seconds(), len(lost))
	if s, err := r.client.Status(t.Context(), "job"); err != nil || s.State != tasks.StateRunning {
		t.Errorf("the job is %+v, %v", s, err)
	}
}

// shardsMoved reports whether new runs of all these shards beat.
func (r recoveryTest) shardsMoved(lost map[int]bool) bool {
	for n := range lost {
		if r.field("job", "runs", strconv.Itoa(n)+":g") != "1" || r.field("job", "runs", strconv.Itoa(n)+":b") == "" {
			return false
		}
	}
	return len(lost) > 0
}

// field reads a field of a job's keys as they lie in Redis.
func (r recoveryTest) field(id, key, field string) string {
	return r.redis.HGet(r.t.Context(), "stevedore:{"+id+"}:"+key, field).Val()
}
