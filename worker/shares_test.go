package worker_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// export is an export of a tenant that reads from a slow server.
func export(tenant string) tasks.Job {
	return tasks.ExportAnnotations{
		Terms:       tasks.Terms{Tenant: tenant},
		Source:      storage,
		Annotations: tasks.Annotations{Key: "a.xml", Format: tasks.FormatCVATImages},
		Format:      tasks.FormatCOCOInstances,
		Key:         "out.zip",
	}
}

// One tenant's jobs take every slot that they can get, and never end.
// Another tenant's jobs end within seconds all the same, of each kind.
func TestSlowTenantStopsNobody(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, o redisconn.Options) {
		work := newBlocker()
		defer work.release()
		slow := func(ctx context.Context, terms tasks.Terms) error {
			if terms.Tenant == "slow" {
				return work.block(ctx)
			}
			return elapse(ctx, 300*time.Millisecond)
		}
		c := newConfig(t, o)
		runWorker(t, c, worker.WithStubs(
			worker.Single(single[tasks.VerifyConnection]{
				func(ctx context.Context, j tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
					return tasks.VerifyConnectionResult{OK: true}, slow(ctx, j.Terms)
				},
			}),
			worker.Single(single[tasks.ExportAnnotations]{
				func(ctx context.Context, j tasks.ExportAnnotations, _ job.Env) (tasks.Result, error) {
					return tasks.ExportAnnotationsResult{}, slow(ctx, j.Terms)
				},
			}),
			worker.Sharded(&slowPlan{slow}),
		)...)
		p := newClient(t, o)
		for i := range 6 {
			terms := tasks.Terms{Tenant: "slow", Priority: tasks.PriorityLow}
			enqueue(t, p, export("slow"), fmt.Sprint("export", i))
			enqueue(t, p, tasks.WithTerms(manifest, terms), fmt.Sprint("manifest", i))
			enqueue(t, p, tasks.WithTerms(verify, terms), fmt.Sprint("verify", i))
		}
		work.waitBlocked(t, c.ShardSlots+c.JobSlots+c.VerifySlots)

		terms := tasks.Terms{Tenant: "quick"}
		checkQuick(t, p, export("quick"), "export")
		checkQuick(t, p, tasks.WithTerms(manifest, terms), "manifest")
		checkQuick(t, p, tasks.WithTerms(verify, terms), "verify")
	})
}

// checkQuick checks that a job that takes 0.3 seconds ends within a few.
func checkQuick(t *testing.T, p *producer.Client, j tasks.Job, id string) {
	t.Helper()
	began := time.Now()
	enqueue(t, p, j, id)
	s := waitForJob(t, p, id, 60*time.Second)
	t.Logf("%s took %v", id, time.Since(began))
	if took := time.Since(began); took > leeway*5*time.Second || s.State != tasks.StateSucceeded {
		t.Errorf("%s took %v: %+v", id, took, s)
	}
}

// slowPlan is a sharded job with one shard, whose plan takes as long as
// its tenant says.
type slowPlan struct {
	slow func(context.Context, tasks.Terms) error
}

// Plan implements job.Sharded.
func (s *slowPlan) Plan(
	ctx context.Context, j tasks.BuildManifest, _ job.Env, _ string, emit func(job.Shard) error,
) error {
	if err := s.slow(ctx, j.Terms); err != nil {
		return err
	}
	return emit(job.Shard{Through: "0", Objects: 1})
}

// Work implements job.Sharded.
func (*slowPlan) Work(
	context.Context, tasks.BuildManifest, job.Env, job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) { yield(job.Item{Key: "0", Tally: "entries"}, nil) }
}

// Finish implements job.Sharded.
func (*slowPlan) Finish(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, parts job.Parts,
) (tasks.Result, error) {
	return tasks.BuildManifestResult{Entries: parts.Tally["entries"]}, nil
}
