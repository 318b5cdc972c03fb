// Package tracked keeps which jobs have not ended, and when a reaper
// shall look at each of them.
//
// Looks at jobs that may have a dead worker must not wait behind looks
// at jobs that only wait, however many these are. So a job that waits
// is looked at later, the more jobs there are.
//
// The package knows no record of a job.
package tracked

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

const (
	// firstLook is when a reaper first looks at a job. Most jobs are
	// short, and are never looked at.
	firstLook = 5 * time.Second
	// lookEach is how much later each tracked job makes the look at a
	// job that waits: reapers look at about 17 such jobs a second.
	lookEach = 60 * time.Millisecond
)

// Jobs are the tracked jobs in a Redis. It is safe for concurrent use
// and may be copied.
type Jobs struct{ client redis.UniversalClient }

// New returns the tracked jobs in a Redis. The caller closes the
// client.
func New(c redis.UniversalClient) Jobs { return Jobs{c} }

// Track adds a job to those that reapers look at. waits says that its
// task waits, perhaps with very many others.
func (j Jobs) Track(ctx context.Context, id string, waits bool) error {
	err := lua.Track.Run(ctx, j.client, "", lua.Args{
		"job":   id,
		"after": firstLook.Milliseconds(),
		"each":  each(waits),
	}).Err()
	return redisconn.Wrap(err, "track job %s", id)
}

// Untrack removes a job from those that reapers look at.
func (j Jobs) Untrack(ctx context.Context, id string) error {
	err := j.client.ZRem(ctx, schema.ActiveKey, id).Err()
	return redisconn.Wrap(err, "untrack job %s", id)
}

// again is when a job is returned again whose reaper has done nothing.
const again = 2 * time.Second

// Unattended returns jobs at which a reaper shall look now, at most
// limit of them. Of several reapers that ask, one gets each job. If
// that one does not postpone the next look, the job is returned again
// in two seconds.
func (j Jobs) Unattended(ctx context.Context, limit int64) ([]string, error) {
	ids, err := lua.Unattended.Run(ctx, j.client, "", lua.Args{
		"again": again.Milliseconds(),
		"most":  limit,
	}).StringSlice()
	return ids, redisconn.Wrap(err, "list unattended jobs")
}

// Look is when a reaper looks at a job again. The zero value means in a
// moment, as Unattended returns it.
type Look struct {
	After time.Duration
	// Waits says that the job's task waits. Then the look comes later,
	// the more jobs there are.
	Waits bool
}

// Postpone says when a reaper shall look again at a job that Unattended
// has returned. It changes nothing if the job was tracked anew since.
func (j Jobs) Postpone(ctx context.Context, id string, next Look) error {
	err := lua.Postpone.Run(ctx, j.client, "", lua.Args{
		"job":   id,
		"after": next.After.Milliseconds(),
		"each":  each(next.Waits),
		"again": again.Milliseconds(),
	}).Err()
	return redisconn.Wrap(err, "postpone the look at job %s", id)
}

func each(waits bool) int64 {
	if waits {
		return lookEach.Milliseconds()
	}
	return 0
}
