package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// track puts a job among those that workers look after until they have ended.
func (r Records) track(ctx context.Context, id string) error {
	return redisconn.Wrap(trackScript.Run(ctx, r.client, []string{activeKey}, id).Err(), "track job %s", id)
}

// Untrack takes a job out of those that are looked after.
func (r Records) Untrack(ctx context.Context, id string) error {
	return redisconn.Wrap(r.client.ZRem(ctx, activeKey, id).Err(), "untrack job %s", id)
}

// Due lists jobs that nobody has looked after for a while, and takes them on:
// of several workers that ask, one gets each. A job whose name is lost on the
// way is due again after the same while.
func (r Records) Due(ctx context.Context, since time.Duration, most int64) ([]string, error) {
	ids, err := dueScript.Run(ctx, r.client, []string{activeKey}, since.Milliseconds(), most).StringSlice()
	return ids, redisconn.Wrap(err, "list active jobs")
}

// Pulse is what tells whether a job is being looked after.
type Pulse struct {
	Kind       string
	Queue      string // that the job's task is on; empty if an older version made the record
	Payload    []byte
	State      tasks.State
	Generation int
	Created    time.Time
	Silent     time.Duration // since its coordinator last beat, or since it was queued; negative while it rests
	Unsent     bool          // its last event is not in the stream yet
	beat       string
}

// Pulse looks at a job. It is ErrNoJob when there is no record.
func (r Records) Pulse(ctx context.Context, id string) (Pulse, error) {
	v, err := inspectScript.Run(ctx, r.client, []string{recordKey(id)}).StringSlice()
	if err != nil {
		return Pulse{}, redisconn.Wrap(err, "look at job %s", id)
	}
	if v[0] == "" {
		return Pulse{}, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	return Pulse{
		Kind: v[0], Payload: []byte(v[1]), State: tasks.State(v[2]), Generation: int(number(v[3])), beat: v[4], Unsent: v[5] != "",
		Created: parseTime(v[6]), Queue: v[7], Silent: time.Duration(number(v[8])-number(v[4])) * time.Millisecond,
	}, nil
}

// ErrAlive means that a job's coordinator has beaten again, or that somebody
// else has taken the job over.
var ErrAlive = errors.New("the job is looked after")

// TakeOver counts the crash of a job's coordinator and makes room for the
// next generation of its task, which the caller must enqueue. It returns how
// often that has happened since anything was achieved.
func (r Records) TakeOver(ctx context.Context, id string, p Pulse) (crashes int, err error) {
	crashes, err = takeoverScript.Run(ctx, r.client, []string{recordKey(id)}, p.beat, p.Generation+1, rand.Text()).Int()
	switch {
	case err != nil:
		return 0, redisconn.Wrap(err, "take over job %s", id)
	case crashes < 0:
		return 0, ErrAlive
	}
	return crashes, nil
}
