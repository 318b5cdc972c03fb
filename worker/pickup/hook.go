package pickup

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// pendingKey is the list of the tasks that wait on a queue (asynq
// v0.26, internal/base.PendingKey). Tasks are taken from its right end.
func pendingKey(queue string) string { return keyPrefix(queue) + "pending" }

func keyPrefix(queue string) string { return "asynq:{" + queue + "}:" }

// hook holds back a server's questions for tasks until its gate lets
// them pass. All other commands pass at once.
type hook struct{ gate *gate }

// DialHook implements redis.Hook.
func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		queue, ok := h.asksFor(cmd)
		if !ok {
			return next(ctx, cmd)
		}
		if !h.gate.await(queue) {
			cmd.SetErr(redis.Nil)
			return redis.Nil
		}
		err := next(ctx, cmd)
		h.gate.answered(queue, answerOf(err))
		return err
	}
}

// asksFor returns the queue of which a command takes a task. Only
// asynq's script to dequeue has the keys pending and paused as its
// first ones (asynq v0.26, internal/rdb.dequeueCmd).
func (h hook) asksFor(cmd redis.Cmder) (queue string, ok bool) {
	const firstKey = 3 // after the command, the script and the number of keys
	args := cmd.Args()
	if name := cmd.Name(); name != "evalsha" && name != "eval" || len(args) < firstKey+2 {
		return "", false
	}
	pending, _ := args[firstKey].(string)
	queue = strings.TrimSuffix(strings.TrimPrefix(pending, "asynq:{"), "}:pending")
	isOurs := h.gate.queues[queue] != nil && pending == pendingKey(queue)
	return queue, isOurs && args[firstKey+1] == keyPrefix(queue)+"paused"
}

func answerOf(err error) answer {
	switch {
	case err == nil:
		return task
	case errors.Is(err, redis.Nil):
		return none
	case redis.HasErrorPrefix(err, "NOSCRIPT"):
		return repeat // with the script itself
	}
	return failed
}
