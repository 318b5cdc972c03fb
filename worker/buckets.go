package worker

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
)

// buckets opens the buckets of jobs.
type buckets struct {
	providers providers.Registry
	secrets   providers.Secrets
	pacer     *providers.Pacer // one limit a bucket, for all jobs of this process
	metrics   *metrics.Metrics
}

// opener returns a function that opens the buckets of one job: confined to
// their prefix, with metrics, and with requests limited to what the cloud
// can take. It does not open secrets that were sealed for another job.
func (b buckets) opener(
	job, kind string,
) func(context.Context, tasks.Storage) (providers.Bucket, error) {
	secrets := b.secrets.For(job, kind)
	return func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
		bucket, err := b.providers.Open(ctx, s, secrets)
		if err != nil {
			return nil, err
		}
		counted := providers.Counting(bucket, b.metrics.Storage(kind, s.Provider))
		return b.pacer.Pace(s.ID(), counted), nil
	}
}
