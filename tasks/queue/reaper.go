package queue

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Reaper finds jobs whose coordinator is gone, and takes them over.
type Reaper struct{ records Records }

// Reaper returns the view that looks for orphaned jobs.
func (s Store) Reaper() Reaper { return Reaper{s.prompt} }

// JobHealth is what tells whether a job has a live coordinator.
type JobHealth struct {
	Kind       string
	Queue      string // that its task is on; empty if an older version made the record
	Payload    []byte
	State      tasks.State
	Generation int
	Created    time.Time
	Silent     time.Duration // since the last heartbeat of its coordinator, or since it was queued; negative while suspended
	pulse      Pulse
}

// Unattended lists jobs that nobody has looked after for a while, at most so
// many. Of several workers that ask, one gets each; unless it takes care of
// the job, the job is listed again after the same while.
func (r Reaper) Unattended(ctx context.Context, since time.Duration, most int64) ([]string, error) {
	return r.records.Due(ctx, since, most)
}

// Inspect reads the health of a job. It is ErrNoJob when there is no record.
func (r Reaper) Inspect(ctx context.Context, id string) (JobHealth, error) {
	p, err := r.records.Pulse(ctx, id)
	return JobHealth{
		Kind: p.Kind, Queue: p.Queue, Payload: p.Payload, State: p.State, Generation: p.Generation,
		Created: p.Created, Silent: p.Silent, pulse: p,
	}, err
}

// TakeOver counts the crash of a job's coordinator and makes room for the
// next generation of its task, which the caller must enqueue. It returns how
// often that has happened since anything was committed. It is ErrAlive when
// the coordinator has sent a heartbeat since seen was read.
func (r Reaper) TakeOver(ctx context.Context, id string, seen JobHealth) (crashes int, err error) {
	return r.records.TakeOver(ctx, id, seen.pulse)
}

// Untrack takes a job out of those that are looked after.
func (r Reaper) Untrack(ctx context.Context, id string) error { return r.records.Untrack(ctx, id) }

// Flush puts the last event of a job that has ended into the stream, if it is
// not there yet, and untracks the job. It is safe to call twice.
func (r Reaper) Flush(ctx context.Context, id string) error { return r.records.Flush(ctx, id) }
