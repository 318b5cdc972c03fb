package worker_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// slowJob is a sharded job whose objects take 100 ms each. A bucket
// that is not in shards has one shard with four objects.
type slowJob struct {
	shards  map[string]int // in a bucket
	objects int64          // in each of these shards
	begun   atomic.Int64
}

// Plan implements job.Sharded.
func (s *slowJob) Plan(
	_ context.Context, j tasks.BuildManifest, _ job.Env, after string, emit func(job.Shard) error,
) error {
	shards, objects := s.shards[j.Source.Bucket], s.objects
	if shards == 0 {
		shards, objects = 1, 4
	}
	for i := range shards {
		shard := job.Shard{After: after, Through: fmt.Sprintf("%d/~", i), Objects: objects}
		if shard.Through <= after {
			continue
		}
		if err := emit(shard); err != nil {
			return err
		}
		after = shard.Through
	}
	return nil
}

// Work implements job.Sharded.
func (s *slowJob) Work(
	ctx context.Context, _ tasks.BuildManifest, env job.Env, shard job.Shard,
) iter.Seq2[job.Item, error] {
	var objects []job.ListedObject
	name, _, _ := strings.Cut(shard.Through, "/")
	for i := range shard.Objects {
		if key := fmt.Sprintf("%s/%04d", name, i); key > shard.After {
			objects = append(objects, job.ListedObject{Object: providers.Object{Key: key}})
		}
	}
	return shard.Items(ctx, env, objects, func(ctx context.Context, _ providers.Object) (job.Item, error) {
		s.begun.Add(1)
		return job.Item{Tally: "entries"}, elapse(ctx, 100*time.Millisecond)
	})
}

// Finish implements job.Sharded.
func (*slowJob) Finish(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, parts job.Parts,
) (tasks.Result, error) {
	return tasks.BuildManifestResult{Entries: parts.Tally["entries"]}, nil
}

func onBucket(name string) tasks.BuildManifest {
	j := manifest
	j.Source.Bucket = name
	return j
}

// A small job behind a big one, all of whose shards take a minute. If
// another tenant has it, it begins at once. If the same tenant has it,
// it gets its turn after about 10 seconds. Then the big job goes on: it
// loses no attempt, no shard of it counts as crashed, and no object is
// done twice.
func TestSmallJobGetsItsTurn(t *testing.T) {
	t.Parallel()
	slow(t)
	for name, c := range map[string]struct {
		tenant string
		limit  time.Duration
	}{
		"of another tenant":  {"other", 5 * time.Second},
		"of the same tenant": {"acme", 18 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Start(t).Options()
			h := newHarness(t, o)
			work := &slowJob{shards: map[string]int{"big": 8}, objects: 2400}
			startWorker(t, newConfig(t, o), testJobs{other: work})
			p := newClient(t, o)
			enqueue(t, p, tasks.WithTerms(onBucket("big"), tasks.Terms{Tenant: "acme"}), "big")
			queuetest.Eventually(t, 20*time.Second, "the big job has every slot", func() bool {
				return work.begun.Load() > 20
			})
			began := time.Now()
			enqueue(t, p, tasks.WithTerms(onBucket("small"), tasks.Terms{Tenant: c.tenant}), "small")
			s := waitForJob(t, p, "small", 60*time.Second)
			t.Logf("the small job took %v", time.Since(began))
			if took := time.Since(began); took > c.limit || s.State != tasks.StateSucceeded {
				t.Errorf("the small job took %v: %+v", took, s)
			}
			if c.tenant == "acme" {
				checkUndisturbed(t, h, p)
			}
			h.cancel("big")
		})
	}
}

// checkUndisturbed checks the job "big" after its shards have taken
// turns with another job's.
func checkUndisturbed(t *testing.T, h *harness, c *producer.Client) {
	t.Helper()
	if _, err := c.Status(t.Context(), "big"); err != nil {
		t.Fatal(err)
	}
	resumed := 0
	for i := range 8 {
		n := fmt.Sprint(i)
		if h.runField("big", n+":g")+h.runField("big", n+":c") != "" {
			t.Errorf("shard %d was replaced", i)
		}
		if h.runField("big", n+":r") != "" {
			resumed++
		}
		info, err := h.inspector.GetTaskInfo(tasks.QueueShards, "big:s:"+n)
		if err == nil && info.Retried != 0 {
			t.Errorf("shard %d has lost %d attempts", i, info.Retried)
		}
	}
	if resumed < 2 {
		t.Errorf("%d shards were handed over", resumed)
	}
}
