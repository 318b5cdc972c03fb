package outcome

import (
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// Reasons for an outcome that the engine itself finds. Some are also
// causes with which the context of an attempt ends.
var (
	// ErrDrain means that the worker is stopping.
	ErrDrain = errors.New("this worker is stopping")
	// ErrTimeout means that the job took longer than its kind allows.
	ErrTimeout = errors.New("the job took longer than its kind may")
	// ErrDeadline means that the deadline of the payload is over.
	ErrDeadline = errors.New("the job did not end before its deadline")
	// ErrShardTimeout means that one run of a shard took too long.
	ErrShardTimeout = errors.New("the shard took longer than a shard may")
	// ErrCancelled means that the job was cancelled.
	ErrCancelled = errors.New("the job was cancelled")
	// ErrObsolete means that nobody needs this run of a shard: the job
	// has ended, or another run has done the work.
	ErrObsolete = errors.New("the job has ended, or another run has done the shard")
	// ErrTurn means that a run of a shard, or a coordinator, has had its
	// turn: others get theirs before it goes on.
	ErrTurn = errors.New("others get their turn; this goes on later")
	// ErrApart means that workers died at a job or shard, and that
	// another such run is under way in this process. They run apart, so
	// that the reason for the next death is known.
	ErrApart = errors.New("workers died at this job: it waits for another such job of this process")
	// ErrNoPlace means that the pool keeps no place for a task: its
	// handler began too late.
	ErrNoPlace = errors.New("this worker has kept no slot for the task")
	// ErrAlreadyRunning means that an earlier attempt at the task still
	// runs in this process.
	ErrAlreadyRunning = errors.New("this task still runs in this process")
)

// ShardFailureError is the failure that a shard has recorded. It ends
// the job.
type ShardFailureError struct{ Failure tasks.Failure }

// Error returns the failure's message.
func (e *ShardFailureError) Error() string { return e.Failure.Message }

// BudgetError means that a job will exceed its budget in Redis. It wraps
// queue.ErrBudget, which means that it would exceed it now.
type BudgetError struct {
	Estimate int64 // bytes that the job will keep
}

// Error returns the estimate.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("this job will keep about %d bytes in Redis", e.Estimate)
}

// Unwrap returns queue.ErrBudget.
func (e *BudgetError) Unwrap() error { return queue.ErrBudget }
