package worker_test

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// onBoth runs a test on the embedded Redis and on a real one.
func onBoth(t *testing.T, test func(*testing.T, redisconn.Options)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, queuetest.Embedded(t)) })
	t.Run("redis", func(t *testing.T) { t.Parallel(); test(t, queuetest.Start(t).Options()) })
}

// onEvery runs a test on every kind of Redis there is: also on a cluster, and
// as a user with only the documented rights.
func onEvery(t *testing.T, test func(*testing.T, redisconn.Options)) {
	for name, server := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, server(t)) })
	}
}

func TestShardedJob(t *testing.T) {
	t.Parallel()
	onEvery(t, func(t *testing.T, o redisconn.Options) {
		m := &counting{shards: 20}
		start(t, config(t, o), jobs{manifest: m})
		start(t, config(t, o), jobs{manifest: m})
		c := client(t, o)
		for _, id := range []string{"first", "second"} { // every job runs twice
			enqueue(t, c, manifest, id)
			result(t, wait(t, c, id, 20*time.Second), 20)
		}
		errs := errorsOf(t, c, "first")
		if len(errs) != 20 || errs[3] != (tasks.ObjectError{Key: "3.jpg", Code: "corrupt-image", Message: "no picture"}) {
			t.Errorf("error list: %v", errs)
		}
	})
}

func TestEmptyBucketHasNoShards(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	start(t, config(t, o), jobs{})
	c := client(t, o)
	enqueue(t, c, manifest, "empty")
	result(t, wait(t, c, "empty", 10*time.Second), 0)
}
