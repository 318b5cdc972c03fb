package pickup

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// pendingKey is the list of the tasks that wait on a queue (asynq
// v0.26, internal/base.PendingKey).
func pendingKey(queue string) string { return keyPrefix(queue) + "pending" }

func keyPrefix(queue string) string { return "asynq:{" + queue + "}:" }

// hook answers a server's questions for tasks. All other commands pass.
type hook struct {
	isOurs func(queue string) bool
	next   func(context.Context) (message string, err error) // redis.Nil means no task
}

// DialHook implements redis.Hook.
func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook. The task may be of any queue of
// the server: asynq reads the queue from the task's message.
func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		question, ok := cmd.(*redis.Cmd)
		if !ok || !h.asksForTask(cmd) {
			return next(ctx, cmd)
		}
		message, err := h.next(ctx)
		question.SetVal(message)
		question.SetErr(err)
		return err
	}
}

// asksForTask reports whether a command is asynq's script to dequeue.
// Only that has the keys pending, paused and active as its first ones,
// and four keys (asynq v0.26, internal/rdb.dequeueCmd).
func (h hook) asksForTask(cmd redis.Cmder) bool {
	const count, firstKey = 2, 3 // after the command and the script
	args := cmd.Args()
	if name := cmd.Name(); name != "evalsha" && name != "eval" || len(args) < firstKey+4 {
		return false
	}
	pending, _ := args[firstKey].(string)
	queue := strings.TrimSuffix(strings.TrimPrefix(pending, "asynq:{"), "}:pending")
	return args[count] == 4 && h.isOurs(queue) && pending == pendingKey(queue) &&
		args[firstKey+1] == keyPrefix(queue)+"paused"
}
