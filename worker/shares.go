package worker

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// shares are a job's shares of the caps that hold for it: one for each bucket
// it works on, one for its tenant. All workers keep to the same caps.
type shares struct {
	records queue.Records
	job     string
	caps    []queue.Cap
	asked   time.Time
	granted int
}

// renewEvery keeps a share alive that does not change.
const renewEvery = 5 * time.Second

func (w *Worker) shares(c claimed) shares {
	s := shares{records: w.beats, job: c.ID}
	if w.config.BucketShards > 0 {
		seen := map[string]bool{}
		for _, storage := range tasks.Storages(c.job) {
			if id := storage.ID(); !seen[id] {
				seen[id] = true
				s.caps = append(s.caps, queue.Cap{Name: "bucket:" + id, Limit: w.config.BucketShards})
			}
		}
	}
	if t := c.job.JobTerms().Tenant; t != "" && w.config.TenantShards > 0 {
		s.caps = append(s.caps, queue.Cap{Name: "tenant:" + t, Limit: w.config.TenantShards})
	}
	return s
}

// ask tells how many more shards may be put under way, of those wanted, when
// some already are.
func (s *shares) ask(ctx context.Context, have, more int) (int, error) {
	if len(s.caps) == 0 {
		return more, nil
	}
	if more == 0 && have == s.granted && time.Since(s.asked) < renewEvery {
		return 0, nil
	}
	most, err := s.askAll(ctx, have, have+more)
	if err == nil && len(s.caps) > 1 && most < have+more {
		most, err = s.askAll(ctx, have, most) // what one cap does not allow is not held of another
	}
	if err != nil {
		return 0, err
	}
	s.asked, s.granted = time.Now(), most
	return most - have, nil
}

// askAll is what every cap allows, of what is wanted.
func (s *shares) askAll(ctx context.Context, have, want int) (int, error) {
	for _, c := range s.caps {
		n, err := s.records.Share(ctx, c, s.job, have, want)
		if err != nil {
			return 0, err
		}
		want = min(want, n)
	}
	return want, nil
}

// giveBack lets others have the shares at once; unless it succeeds they run
// out by themselves.
func (s *shares) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	for _, c := range s.caps {
		_ = s.records.Unshare(ctx, c.Name, s.job)
	}
}
