package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
	"github.com/stevedore-jobs/stevedore/tasks/queue/tracked"
)

// ErrAlive means that a job need not be taken over: its coordinator has
// sent a heartbeat, somebody else has taken it over, or it has ended.
var ErrAlive = errors.New("the job has a coordinator, or has ended")

// Reaper finds jobs whose coordinator is gone, and takes them over. It
// is safe for concurrent use and may be copied.
type Reaper struct {
	conn
	tracked.Jobs
}

// Reaper returns a Reaper of the same Redis.
func (s Store) Reaper() Reaper { return Reaper{s.prompt, s.prompt.tracked()} }

// JobHealth is what tells whether a job has a live coordinator.
type JobHealth struct {
	Kind       string
	Queue      string // of the job's task; empty if an older version made the record
	State      tasks.State
	Generation int // of the job's task
	Created    time.Time
	Now        time.Time     // when it was read; like all times by the server's clock
	Wait       time.Duration // before the job's task may begin; negative if it may now
	// Silent is the time since the last heartbeat of the coordinator,
	// or since the job was queued. It is negative while a job is
	// suspended.
	Silent    time.Duration
	heartbeat string // as it is in Redis
}

// Inspect reads the health of a job. It returns ErrNoJob if there is no
// record.
func (r Reaper) Inspect(ctx context.Context, id string) (JobHealth, error) {
	v, err := r.run(ctx, lua.Inspect, id, lua.Args{}).StringSlice()
	if err != nil {
		return JobHealth{}, redisconn.Wrap(err, "inspect job %s", id)
	}
	if v[1] == "" {
		return JobHealth{}, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	return JobHealth{
		Kind:       v[1],
		State:      tasks.State(v[2]),
		Generation: int(schema.Number(v[3])),
		Silent:     time.Duration(schema.Number(v[0])-schema.Number(v[4])) * time.Millisecond,
		Created:    schema.Time(v[5]),
		Now:        schema.Time(v[0]),
		Wait:       time.Duration(schema.Number(v[7])-schema.Number(v[0])) * time.Millisecond,
		Queue:      v[6],
		heartbeat:  v[4],
	}, nil
}

// Payload reads the payload of a job. It returns ErrNoJob if there is
// no record.
func (r Reaper) Payload(ctx context.Context, id string) ([]byte, error) {
	payload, err := r.client.HGet(ctx, schema.RecordKey(id), schema.Payload).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	return payload, redisconn.Wrap(err, "read the payload of job %s", id)
}

// TakeOver counts the crash of a job's coordinator and makes room for
// the next generation of its task, which the caller must enqueue. It
// returns how many crashed since anything was achieved. From the crash
// careful on, only those after BeginCareful count; 0 means all. It
// returns ErrAlive if the job's health has changed since it was seen.
func (r Reaper) TakeOver(
	ctx context.Context, id string, seen JobHealth, careful int,
) (int, error) {
	crashes, err := r.run(ctx, lua.TakeOver, id, lua.Args{
		"seen_heartbeat": seen.heartbeat,
		"generation":     seen.Generation + 1,
		"careful":        careful,
		"token":          rand.Text(),
	}).Int()
	if err == nil && crashes < 0 {
		return 0, ErrAlive
	}
	return crashes, redisconn.Wrap(err, "take over job %s", id)
}

// Flush puts the last event of a job that has ended into the stream, if
// it is not there yet, and then untracks the job. It is safe to call
// twice: then the event may come twice, with the same ID.
func (r Reaper) Flush(ctx context.Context, id string) error { return r.flush(ctx, id) }
