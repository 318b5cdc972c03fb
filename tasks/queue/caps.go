package queue

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// Caps are limits on shards that all workers share. It is safe
// for concurrent use and may be copied.
type Caps struct{ conn }

// Caps returns the limits that all workers share.
func (s Store) Caps() Caps { return Caps{s.prompt} }

// Cap limits how many shards may be under way at once, of all
// jobs that reserve a share of it.
type Cap struct {
	Name  string
	Limit int
}

// CapRequest is what a job asks of a cap.
type CapRequest struct {
	Job  string
	Have int // shards that it has under way
	Want int // shards that it wants under way in all
}

// reservationTTL is how long a reservation lasts.
const reservationTTL = 20 * time.Second

// Reserve asks for a job's share of a cap. It returns how many
// shards the job may have under way, never fewer than it has. A
// reservation lasts 20 seconds: ask again within half of that.
func (c Caps) Reserve(ctx context.Context, limit Cap, r CapRequest) (int, error) {
	n, err := c.run(ctx, lua.ReserveCap, limit.Name, lua.Args{
		"job":   r.Job,
		"have":  r.Have,
		"want":  r.Want,
		"limit": limit.Limit,
		"ttl":   reservationTTL.Milliseconds(),
	}).Int()
	return n, redisconn.Wrap(err, "reserve a share of the cap %s", limit.Name)
}

// Release gives a job's share back. It is safe to call twice.
func (c Caps) Release(ctx context.Context, name, job string) error {
	err := c.client.HDel(ctx, schema.Key(schema.Cap, name), job).Err()
	return redisconn.Wrap(err, "release a share of the cap %s", name)
}
