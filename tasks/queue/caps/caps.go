// Package caps limits how many shards may run at once, over all
// workers. Jobs reserve their share of a limit in Redis.
//
// It knows the names of limits. It does not know what they stand
// for, and no record of a job.
package caps

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// Caps are limits on shards that all workers share. It is safe
// for concurrent use and may be copied.
type Caps struct{ client redis.UniversalClient }

// New returns the limits in a Redis. The caller closes the client.
func New(c redis.UniversalClient) Caps { return Caps{c} }

// Cap limits how many shards may be under way at once, of all
// jobs that reserve a share of it.
type Cap struct {
	Name  string
	Limit int
}

// Request is what a job asks of a cap.
type Request struct {
	Job  string
	Have int // shards that it has under way
	Want int // shards that it wants under way in all
}

// reservationTTL is how long a reservation lasts.
const reservationTTL = 20 * time.Second

// Reserve asks for a job's share of a cap. It returns how many
// shards the job may have under way, never fewer than it has. A
// reservation lasts 20 seconds: ask again within half of that.
func (c Caps) Reserve(ctx context.Context, limit Cap, r Request) (int, error) {
	n, err := lua.ReserveCap.Run(ctx, c.client, limit.Name, lua.Args{
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
