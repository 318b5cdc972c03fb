package asynqtask

import "github.com/hibiken/asynq"

// Task returns what EnqueueJob hands to asynq.
func (j Job) Task() *asynq.Task { return j.task() }

// Task returns what EnqueueShard hands to asynq.
func (s Shard) Task() *asynq.Task { return s.task() }
