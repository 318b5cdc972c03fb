package worker_test

import (
	"context"
	"crypto/rand"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// randomData returns data that cannot be compressed.
func randomData(string) []byte {
	data := make([]byte, 10_000)
	_, _ = rand.Read(data) // never fails
	return data
}

// A job whose parts will exceed the budget fails early, and says what
// would help.
func TestRedisBudget(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	conf := newConfig(t, o)
	conf.RedisBudget = 20_000_000
	conf.SettingName = func(id setting.ID) string { return "MY_" + string(id) }
	startWorker(t, conf, testJobs{manifest: &countingJob{shards: 400, data: randomData}}) // 40 MB
	h.submit(manifest, "m")
	s := h.waitForEnd("m", 30*time.Second)
	if s.State != tasks.StateFailed || s.Failure == nil ||
		s.Failure.Code != "RedisBudgetExceeded" || s.Failure.Kind != "invalid" ||
		!strings.Contains(s.Failure.Fix, "raise MY_redis-budget on") ||
		!strings.HasPrefix(s.Failure.Message, "this job would keep about ") ||
		!strings.Contains(s.Failure.Message, " and 19 MB are allowed: ") {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
	if p := s.Progress; p.Shards > p.ShardsTotal/2-50 {
		t.Errorf("it took %d of %d shards to find out", p.Shards, p.ShardsTotal)
	}
}

// The parts of a job with few shards cannot be estimated. The commit
// that exceeds the budget ends the job.
func TestRedisBudgetOfFewShards(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	conf := newConfig(t, o)
	conf.RedisBudget = 250_000
	startWorker(t, conf, testJobs{manifest: &countingJob{shards: 5, data: randomData}})
	h.submit(manifest, "m")
	s := h.waitForEnd("m", 30*time.Second)
	if s.Failure == nil || s.Failure.Code != "RedisBudgetExceeded" ||
		!strings.Contains(s.Failure.Fix, "raise the setting redis-budget on") {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
}

// Shards under way commit checkpoints before they are done. These must
// not make a job that fits look too large.
func TestRedisBudgetCountsCheckpoints(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	h.claimPlanned(manifest, "m", 60)
	for i := range 50 { // nine tenths of most shards are committed
		c := queue.Checkpoint{
			To:      strconv.Itoa(i) + "/8",
			Objects: 9,
			Bytes:   900,
		}
		for range 9 {
			c.Data = append(c.Data, randomData("")...)
		}
		h.commit(h.startShard(asynqtask.ShardRef{Job: "m", Shard: i}), c)
	}
	conf := newConfig(t, o)
	conf.RedisBudget = 7_000_000 // it takes 6
	startWorker(t, conf, testJobs{manifest: &countingJob{shards: 60, data: randomData}})
	h.enqueueTask(manifest, asynqtask.JobRef{Job: "m"})
	if s := h.waitForEnd("m", 60*time.Second); s.State != tasks.StateSucceeded {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
}

// A listing that never ends fills neither Redis nor time: planning
// stops at the limits of the job, and what it planned is freed.
func TestEndlessPlanningStopsAtTheLimits(t *testing.T) {
	t.Parallel()
	for code, limit := range map[string]func(*worker.Config){
		"TooManyObjects":      func(c *worker.Config) { c.JobObjects = 5000 },
		"RedisBudgetExceeded": func(c *worker.Config) { c.RedisBudget = 20_000 },
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			h := newHarness(t, o)
			conf := newConfig(t, o)
			limit(&conf)
			startWorker(t, conf, testJobs{manifest: &countingJob{shards: math.MaxInt64}})
			h.submit(manifest, "m")
			s := h.waitForEnd("m", 2*time.Minute)
			if s.Failure == nil || s.Failure.Code != code || s.Failure.Kind != "invalid" {
				t.Errorf("%+v, %+v", s, s.Failure)
			}
			planned, err := h.redis.LLen(t.Context(), schema.Key(schema.Shards, "m")).Result()
			if planned != 0 || err != nil {
				t.Errorf("%d planned shards are left, %v", planned, err)
			}
		})
	}
}

// A result that does not fit into Redis is a failure that says so.
func TestResultOverTheBudgetFailsTheJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	conf := newConfig(t, o)
	conf.RedisBudget = 50_000
	big := tasks.VerifyConnectionResult{Checks: []tasks.Check{{ID: "x", Evidence: strings.Repeat("x", 60_000)}}}
	startWorker(t, conf, testJobs{verify: func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
		return big, nil
	}})
	h.submit(verify, "v")
	s := h.waitForEnd("v", 30*time.Second)
	if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Code != "RedisBudgetExceeded" || len(s.Result) > 0 {
		t.Errorf("%+v, %+v", s, s.Failure)
	}
}
