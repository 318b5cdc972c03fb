// Package caps limits how many tasks may be under way at once, over all
// workers.
//
// A task that is under way holds a place of each cap that applies to
// it, by a lease that its worker renews. So a place belongs to what
// really runs: not to the job, whose coordinator may be away, and not
// to the shard, of which a second run may have begun.
//
// The package knows the names of caps. It does not know what they stand
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

const (
	// LeaseTime is how long a place is held without being renewed.
	// asynq gives a task to another worker no sooner.
	LeaseTime = 30 * time.Second
	// RenewEvery is how often places must be renewed.
	RenewEvery = 5 * time.Second
)

// Caps are limits on tasks that all workers share. It is safe for
// concurrent use and may be copied.
type Caps struct{ client redis.UniversalClient }

// New returns the caps in a Redis. The caller closes the client.
func New(c redis.UniversalClient) Caps { return Caps{c} }

// Cap limits how many tasks may be under way at once.
type Cap struct {
	Name  string
	Limit int
}

// Acquire takes a place of each cap for a task. It takes none if one of
// the caps is reached, and returns the name of that one. It is safe to
// call twice.
func (c Caps) Acquire(ctx context.Context, all []Cap, task string) (reached string, err error) {
	for i, one := range all {
		ok, err := c.hold(ctx, one, false, lua.List{task})
		if err != nil || !ok {
			c.Release(ctx, all[:i], task)
			return one.Name, err
		}
	}
	return "", nil
}

// Renew holds the places of tasks that are under way. It is safe to
// call twice.
func (c Caps) Renew(ctx context.Context, name string, tasks []string) error {
	list := make(lua.List, 0, len(tasks))
	for _, task := range tasks {
		list = append(list, task)
	}
	_, err := c.hold(ctx, Cap{Name: name}, true, list)
	return err
}

func (c Caps) hold(ctx context.Context, one Cap, force bool, tasks lua.List) (bool, error) {
	n, err := lua.HoldCap.Run(ctx, c.client, one.Name, lua.Args{
		"limit": one.Limit,
		"ttl":   LeaseTime.Milliseconds(),
		"force": force,
		"tasks": tasks,
	}).Int()
	return n == 1, redisconn.Wrap(err, "hold a place of the cap %s", one.Name)
}

// Release gives the places of a task back. Places that it cannot give
// back end by themselves. It is safe to call twice.
func (c Caps) Release(ctx context.Context, all []Cap, task string) {
	for _, one := range all {
		_ = c.client.ZRem(ctx, schema.Key(schema.Cap, one.Name), task).Err()
	}
}
