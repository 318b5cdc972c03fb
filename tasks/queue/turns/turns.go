// Package turns takes tasks off asynq's queues so that tenants, and the
// jobs of one tenant, get turns. asynq itself takes the oldest task.
//
// Nobody has to enqueue a task in another way for that: the script reads
// the tenant from the task, and a task that is not taken stays where it
// is. The package knows asynq's keys. It does not know who may have a
// slot: the caller says whose tasks it does not want.
package turns

import (
	"context"
	"crypto/rand"
	_ "embed" // the script
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

const (
	// leaseTime is how long asynq waits for a sign of life before it
	// takes a task for lost (v0.26, internal/rdb.LeaseDuration).
	leaseTime = 30 * time.Second
	// maxLook is how many of the oldest tasks a call looks at. Of a
	// longer queue it looks at about as many others.
	maxLook = 400
)

//go:embed take.lua
var source string

var take = redis.NewScript(source)

// Queues takes tasks off the queues of one Redis for one process. Make
// it with New. It is safe for concurrent use.
type Queues struct {
	client  redis.Scripter
	process string
	calls   atomic.Int64
}

// New returns the queues of a Redis. The caller closes the client.
func New(c redis.Scripter) *Queues { return &Queues{client: c, process: rand.Text()} }

// Request says which task a caller wants.
type Request struct {
	Queue string
	// Wanted is the ID of the task, if no other will do.
	Wanted string
	// Denied are owners and jobs whose tasks are not wanted: see Owner
	// and OfJob.
	Denied []string
	// Elsewhere is how many tasks of other queues each owner has under
	// way. They count when turns are given.
	Elsewhere map[string]int
	// Look leaves the task on the queue.
	Look bool
}

// State says what became of a Request.
type State int

// The states.
const (
	Empty State = iota // no task waits, or the queue is paused
	Held               // tasks wait, but none of them is wanted
	Found
)

// Task is a task of asynq.
type Task struct {
	Message string // as asynq encodes it
	ID      string
	Tenant  string // "" if its payload names none
	Type    string
	Payload []byte
}

// Take takes the task whose turn it is off a queue. The caller then has
// asynq's lease for it.
func (q *Queues) Take(ctx context.Context, r Request) (Task, State, error) {
	call := q.calls.Add(1)
	prefix := "asynq:{" + r.Queue + "}:"
	keys := []string{
		prefix + "pending", prefix + "paused", prefix + "active", prefix + "lease",
		schema.TurnsKey(r.Queue), schema.TakenKey(r.Queue, q.process),
	}
	args := []any{
		time.Now().Unix(), int(leaseTime.Seconds()), prefix + "t:",
		call, r.Look, r.Wanted, call * maxLook, maxLook, len(r.Denied),
	}
	for _, name := range r.Denied {
		args = append(args, name)
	}
	for owner, n := range r.Elsewhere {
		args = append(args, owner, n)
	}
	v, err := take.Run(ctx, q.client, keys, args...).StringSlice()
	switch {
	case err != nil:
		return Task{}, Empty, redisconn.Wrap(err, "take a task off queue %s", r.Queue)
	case len(v) == 0:
		return Task{}, Empty, nil
	case len(v) == 1:
		return Task{}, Held, nil
	}
	t := Task{Message: v[1], ID: v[2], Tenant: v[3], Type: v[4], Payload: []byte(v[5])}
	return t, Found, nil
}

// Owner returns who gets turns for a job's tasks: its tenant, or the job
// itself if it has none.
func Owner(tenant, job string) string {
	if tenant == "" {
		return OfJob(job)
	}
	return "t:" + tenant
}

// OfJob returns the name of a job among the owners.
func OfJob(id string) string { return "j:" + id }

// Owner returns who gets turns for this task.
func (t Task) Owner() string { return Owner(t.Tenant, t.Job()) }

// Job returns the ID of the job that the task belongs to.
func (t Task) Job() string { return asynqtask.ParseJobRef(t.ID).Job }
