package asynqtask

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// waitingJobs lists the jobs of the tasks that wait on a queue, at most
// two. A paused queue has none. It looks at no more than 5,000 tasks.
// The keys are asynq's own (v0.26, internal/base).
//
// KEYS: pending, paused
var waitingJobs = redis.NewScript(`
if redis.call("EXISTS", KEYS[2]) == 1 then
  return {}
end
local ids = redis.call("LRANGE", KEYS[1], -5000, -1)
local i, jobs = 0, {}
repeat
  i = i + 1
  local job = ids[i] and string.match(ids[i], "^[^:]*")
  if job ~= jobs[1] then
    table.insert(jobs, job)
  end
until #jobs == 2 or i >= #ids
return jobs
`)

// WaitingJobs returns jobs of which a task or a shard waits on one of
// some queues, each once: at least two, if there are so many.
func (c Client) WaitingJobs(ctx context.Context, queues []string) (jobs []string, err error) {
	for _, name := range queues {
		prefix := "asynq:{" + name + "}:"
		keys := []string{prefix + "pending", prefix + "paused"}
		found, err := waitingJobs.Run(ctx, c.redis, keys).StringSlice()
		if err != nil {
			return jobs, redisconn.Wrap(err, "list the jobs that wait on queue %s", name)
		}
		jobs = append(jobs, found...)
		slices.Sort(jobs)
		if jobs = slices.Compact(jobs); len(jobs) > 1 {
			return jobs, nil
		}
	}
	return jobs, nil
}
