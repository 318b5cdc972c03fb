// Package outcome decides what happens to a job or a shard after an
// attempt, and describes it to users.
//
// It is the one place where an error decides about a job. Whether an
// error concerns one object or the whole job is decided before that, in
// package job: an error that arrives here concerns the whole job. The
// package writes nothing and knows no queue.
package outcome

import (
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Outcome is what an attempt at a job or shard led to.
type Outcome string

// The outcomes.
const (
	// Done means that the job or shard is finished.
	Done Outcome = "done"
	// Retry means that the task runs again. An attempt is used up.
	Retry Outcome = "retry"
	// Snooze means that the task runs again later. No attempt is used
	// up.
	Snooze Outcome = "snooze"
	// Handover means that the task goes to the end of its queue, since
	// the worker stops or others get their turn. No attempt is used up.
	Handover Outcome = "handover"
	// Failed means that the job can never succeed, or that its attempts
	// are used up.
	Failed Outcome = "failed"
	// Fenced means that another coordinator has the job. This one
	// writes nothing more.
	Fenced Outcome = "fenced"
	// Obsolete means that nothing is left to do: the job has ended, or
	// another run has finished the shard.
	Obsolete Outcome = "obsolete"
	// Cancelled means that the job was cancelled.
	Cancelled Outcome = "cancelled"
)

// Verdict is what was decided about an attempt.
type Verdict struct {
	Outcome Outcome
	Err     error         // the reason; may be nil
	Pause   time.Duration // before the task runs again
}

// Ended reports whether the job or shard has ended with this attempt.
func (v Verdict) Ended() bool { return v.Outcome == Done || v.Outcome == Failed }

// State returns the state of a job that has ended with this attempt.
func (v Verdict) State() tasks.State {
	if v.Outcome == Done {
		return tasks.StateSucceeded
	}
	return tasks.StateFailed
}

// Again reports whether the task runs again.
func (v Verdict) Again() bool {
	return v.Outcome == Retry || v.Outcome == Snooze || v.Outcome == Handover
}
