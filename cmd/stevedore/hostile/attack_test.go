package hostile

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// result is what happened in a cell.
type result struct {
	cell    cell
	outcome string
	hits    int64         // how often the server did something wrong
	took    time.Duration // from enqueueing to the end
	memory  int64         // resident memory of the worker meanwhile, bytes
	redis   int64         // the most that the job kept in Redis, bytes
	died    bool          // the worker died meanwhile

	// What was to end the job, and how long attempts went on after it.
	// They are 0 if nothing of the kind happened.
	late, cancelled, terminated time.Duration

	stops []stop
}

// stop is something that was to end a job.
type stop struct {
	job   string
	at    time.Time
	delay *time.Duration // a field of the result
}

const (
	deadline   = 6 * time.Second // of each job in the first phase
	longCell   = 2 * time.Second // from here on, a cell takes part in the other phases
	neverWait  = 2 * time.Minute // for what must happen much earlier
	beginsSoon = 5 * time.Second // for a job to meet the behaviour
)

// slots limits how many cells of a group run at once.
type slots map[string]chan struct{}

func newSlots() slots {
	s := slots{}
	for group, n := range parallel {
		s[group] = make(chan struct{}, n)
	}
	return s
}

// each calls do for every result, as many at once as the worker has
// slots.
func each(results []*result, do func(*result)) {
	var wg sync.WaitGroup
	free := newSlots()
	for _, r := range results {
		wg.Go(func() {
			free[r.cell.group()] <- struct{}{}
			do(r)
			<-free[r.cell.group()]
		})
	}
	wg.Wait()
}

// attack runs cells until their jobs end by themselves or by their
// deadlines.
func (s *site) attack(t *testing.T, cells []cell) []*result {
	var results []*result
	for _, c := range cells {
		results = append(results, &result{cell: c})
	}
	each(results, func(r *result) {
		defer s.follow(r)()
		begun := time.Now()
		id, bucket := s.begin(t, r, "a", begun.Add(deadline))
		status, err := s.wait(t, id)
		r.took = time.Since(begun)
		s.awaitEnd(id)
		r.outcome, r.hits, r.redis = describe(status, err), s.server.Hits(t, bucket), s.sampler.peak(id)
	})
	return results
}

// begin enqueues the job of a cell.
func (s *site) begin(t *testing.T, r *result, phase string, deadline time.Time) (id, bucket string) {
	bucket = r.cell.bucket(phase)
	id = s.enqueue(t, payload(r.cell, s.secrets.storage(t, s.server, r.cell, bucket), deadline))
	if !deadline.IsZero() {
		r.stops = append(r.stops, stop{id, deadline, &r.late})
	}
	return id, bucket
}

// cancel runs cells again, and cancels their jobs when they have met
// the behaviour.
func (s *site) cancel(t *testing.T, results []*result) {
	each(results, func(r *result) {
		defer s.follow(r)()
		id, bucket := s.begin(t, r, "c", time.Time{})
		eventually(beginsSoon, func() bool { return s.server.Hits(t, bucket) > 0 })
		s.end(t, id)
		r.stops = append(r.stops, stop{id, time.Now(), &r.cancelled})
		s.awaitEnd(id)
	})
}

// end cancels a job.
func (s *site) end(t *testing.T, id string) {
	if _, err := s.client.Cancel(t.Context(), id); err != nil {
		t.Error(err)
	}
}

// terminate runs cells again, as many at once as the worker has slots,
// and ends the worker with SIGTERM when they have met the behaviour.
func (s *site) terminate(t *testing.T, results []*result) {
	for _, batch := range batches(results) {
		ids := make([]string, len(batch))
		var wg sync.WaitGroup
		for i, r := range batch {
			wg.Go(func() {
				defer s.follow(r)()
				id, bucket := s.begin(t, r, "t", time.Time{})
				ids[i] = id
				eventually(beginsSoon, func() bool { return s.server.Hits(t, bucket) > 0 })
			})
		}
		wg.Wait()
		begun := time.Now()
		old, took := s.restart(t)
		for i, r := range batch {
			r.terminated = took // unless the job ended earlier
			if e := old.endOf(ids[i]); e.job {
				r.terminated = max(0, e.last.Sub(begun))
			}
			s.end(t, ids[i])
		}
	}
}

// batches divides results so that each batch fills the slots of a
// worker.
func batches(results []*result) [][]*result {
	taken := map[string]int{}
	var all [][]*result
	for _, r := range results {
		group := r.cell.group()
		n := taken[group] / parallel[group]
		taken[group]++
		if n == len(all) {
			all = append(all, nil)
		}
		all[n] = append(all[n], r)
	}
	return all
}

// settle computes how long attempts went on after what was to end them.
func (s *site) settle(results []*result) {
	for _, r := range results {
		for _, stop := range r.stops {
			*stop.delay = max(0, s.endOf(stop.job).last.Sub(stop.at))
		}
	}
}

// follow measures the worker for a result until stop is called.
func (s *site) follow(r *result) (stop func()) {
	set := func(running bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if running {
			s.running[r] = true
		} else {
			delete(s.running, r)
		}
	}
	set(true)
	return func() { set(false) }
}

func describe(s tasks.Status, err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "has not ended: " + string(s.State)
	case err != nil:
		return err.Error()
	case s.Failure != nil && s.Failure.Code != "":
		return s.Failure.Kind + " " + s.Failure.Code
	case s.Failure != nil:
		return s.Failure.Kind
	}
	return string(s.State)
}
