package tasks

import (
	"regexp"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// Terms say how a job is run. They are fields of every payload, so that
// a producer in any language can set them.
type Terms struct {
	// Tenant names the customer whose job this is: letters, digits,
	// dots, dashes and underscores, at most 64. Tenants take turns, and
	// the operator can limit what one tenant runs at the same time. A
	// job without a tenant counts as a tenant of its own.
	Tenant string `json:"tenant,omitempty"`
	// Priority decides whose shards run first when there is more work
	// than the workers can do: high, normal (when empty) or low.
	Priority Priority `json:"priority,omitempty"`
	// Deadline is the time by which the job must have ended. After it
	// the job fails, even if no worker has begun it.
	Deadline time.Time `json:"deadline,omitzero"`
}

// JobTerms implements Job.
func (t Terms) JobTerms() Terms { return t }

var validTenant = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ValidTenant reports whether a text can be the tenant of a job. It then
// has neither a slash nor a character that is special in a pattern.
func ValidTenant(text string) bool { return validTenant.MatchString(text) }

// CheckTerms adds the faults of the terms to those of a payload.
func (t Terms) CheckTerms(errs *fields.Errors) {
	if t.Tenant != "" && !ValidTenant(t.Tenant) {
		errs.Add("tenant", "%q: use 1 to 64 letters, digits, dots, dashes and underscores, "+
			"a letter or digit first", t.Tenant)
	}
	switch t.Priority {
	case "", PriorityHigh, PriorityNormal, PriorityLow:
	default:
		errs.Add("priority", "%q is none of high, normal, low", t.Priority)
	}
}

// Priority says how urgent a job is. It decides on the queue of its
// tasks.
type Priority string

// The priorities. A worker takes tasks from their queues in the
// proportion 6 to 3 to 1, so that low priority is never left out.
const (
	PriorityHigh   Priority = "high"
	PriorityNormal Priority = "normal" // the same as empty
	PriorityLow    Priority = "low"
)

// The queues without their priority. Each is served by a pool of every
// worker, so that no queue has to wait for another.
const (
	QueueVerify  = "verify"  // quick answers for a person who waits
	QueueJobs    = "jobs"    // coordinators of sharded jobs: cheap, they mostly wait
	QueueExports = "exports" // single runs that do real work; they share a pool with the shards
	QueueShards  = "shards"  // shards of sharded jobs; only the workers enqueue here
)

// Queue returns the queue for tasks of this priority, for example
// "shards-high" for "shards". Verifications have one queue for all
// priorities. A value that is no priority counts as normal.
func (p Priority) Queue(base string) string {
	if base != QueueVerify && (p == PriorityHigh || p == PriorityLow) {
		return base + "-" + string(p)
	}
	return base
}

// Queues returns the names of all queues, in a fixed order.
func Queues() []string {
	queues := []string{QueueVerify}
	for _, base := range []string{QueueJobs, QueueExports, QueueShards} {
		for _, p := range []Priority{PriorityHigh, PriorityNormal, PriorityLow} {
			queues = append(queues, p.Queue(base))
		}
	}
	return queues
}
