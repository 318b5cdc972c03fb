package worker_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// newLongShards is chaos on shards of minutes, or of ten seconds in the
// short form. A checkpoint comes every ten seconds, and at a drain.
func newLongShards() chaosSize {
	if os.Getenv(chaosVariable) == "full" {
		return chaosSize{
			bucket:   simulation{Objects: 8000, Read: time.Second},
			workers:  4,
			slots:    2,
			kills:    8,
			drains:   4,
			restarts: 2,
			every:    12 * time.Second,
			limit:    20 * time.Minute,
			write:    time.Second,
			delayed:  delayedJobs(),
		}
	}
	return chaosSize{
		bucket:  simulation{Objects: 2500, Read: 110 * time.Millisecond},
		workers: 3,
		slots:   1,
		kills:   1,
		drains:  3,
		every:   2 * time.Second,
		limit:   3 * time.Minute,
		calmEnd: true,
	}
}

// Workers are killed and drained while shards are half done: between two
// checkpoints of a shard, and after it was resumed. Each object counts
// once, in its place.
func TestChaosOfLongShards(t *testing.T) {
	t.Parallel()
	redis := restarted{queuetest.Start(t)}
	resumed := watchResumes(t, redis)
	wreakChaos(t, newLongShards(), redis)
	if n := resumed(); n == 0 {
		t.Error("no shard was half done: this run shows nothing")
	}
}

// watchResumes counts the shards that were half done, from now on until
// it is asked.
func watchResumes(t *testing.T, of restarted) (count func() int) {
	t.Helper()
	client := of.Options().Client()
	t.Cleanup(func() { _ = client.Close() })
	stop, counted := make(chan struct{}), make(chan int)
	go func() {
		shards := map[string]bool{}
		for ticks := time.Tick(100 * time.Millisecond); ; {
			select {
			case <-stop:
				counted <- len(shards)
				return
			case <-ticks:
				addHalfDone(t, client, shards)
			}
		}
	}()
	return func() int {
		close(stop)
		n := <-counted
		t.Logf("%d shards were half done at some time", n)
		return n
	}
}

// addHalfDone adds the shards of which a part is committed.
func addHalfDone(t *testing.T, client redis.UniversalClient, shards map[string]bool) {
	t.Helper()
	fields, _ := client.HKeys(t.Context(), "stevedore:{chaos}:runs").Result() // Redis may be dead
	for _, f := range fields {
		if shard, ok := strings.CutSuffix(f, ":r"); ok {
			shards[shard] = true
		}
	}
}
