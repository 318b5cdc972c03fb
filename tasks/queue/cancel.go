package queue

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// CancelResult says what Cancel found.
type CancelResult struct {
	State      tasks.State // that the job had before
	Queue      string      // that its task is on
	Generation int         // of that task
}

// Cancel ends a job at once, on any worker. Its coordinator and its
// shards learn of it at their next heartbeat. A job that has ended
// stays as it is. keep is how long the record stays. It is safe to call
// twice.
func (s Store) Cancel(
	ctx context.Context, id string, keep time.Duration,
) (CancelResult, error) {
	for token := rand.Text(); ; {
		now, err := s.Status(ctx, id)
		if err != nil {
			return CancelResult{}, err
		}
		now.State = tasks.StateCancelled
		event, err := lastEvent(now, nil)
		if err != nil {
			return CancelResult{}, err
		}

		v, err := s.patient.run(ctx, lua.Cancel, id, lua.Args{
			"ttl":   keep.Milliseconds(),
			"event": event,
			"round": now.Round,
			"token": token,
		}).StringSlice()
		switch {
		case err != nil:
			return CancelResult{}, redisconn.Wrap(err, "cancel job %s", id)
		case len(v) == 0:
			return CancelResult{}, fmt.Errorf("job %s: %w", id, ErrNoJob)
		case len(v) == 1:
			// A retry has begun in between. The event has the ID of the
			// round before, so readers would take it for a repetition.
			continue
		}

		r := CancelResult{tasks.State(v[0]), v[1], int(schema.Number(v[2]))}
		if r.State.Final() {
			return r, s.patient.flush(ctx, id)
		}
		return r, s.patient.flushEvent(ctx, id, event)
	}
}
