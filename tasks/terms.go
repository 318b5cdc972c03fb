package tasks

import (
	"regexp"
	"time"
)

// Terms are what any payload may say about how its job is run. They are
// fields of the payload, so that a producer in any language can set them.
type Terms struct {
	// Tenant is whose job this is: letters, digits, dots, dashes and
	// underscores, at most 64. The operator may cap how many shards of one
	// tenant run at once.
	Tenant string `json:"tenant,omitempty"`
	// Priority says whose shards come first when there is more to do than
	// workers: high, normal (when empty) or low.
	Priority Priority `json:"priority,omitempty"`
	// Deadline is when the job must have ended; later it fails, even if no
	// worker has begun it.
	Deadline time.Time `json:"deadline,omitzero"`
}

// Priority is how urgent a job is. It decides on the queue: see Queue.
type Priority string

// The priorities. A worker takes from their queues in the proportion 6 to 3
// to 1, so that none ever starves.
const (
	PriorityHigh   Priority = "high"
	PriorityNormal Priority = "normal" // the same as empty
	PriorityLow    Priority = "low"
)

// Queue is the queue for tasks of this priority, for example "shards-high" of
// "shards". Verifications have one queue only.
func (p Priority) Queue(base string) string {
	if base == QueueVerify || p == "" || p == PriorityNormal {
		return base
	}
	return base + "-" + string(p)
}

// Queues are all the queues there are, in a fixed order.
func Queues() []string {
	queues := []string{QueueVerify}
	for _, base := range []string{QueueJobs, QueueExports, QueueShards} {
		for _, p := range []Priority{PriorityHigh, PriorityNormal, PriorityLow} {
			queues = append(queues, p.Queue(base))
		}
	}
	return queues
}

// JobTerms implements Job.
func (t Terms) JobTerms() Terms { return t }

var validTenant = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (t Terms) check(f faults) {
	if t.Tenant != "" && !validTenant.MatchString(t.Tenant) {
		f.add("tenant", "%q: use 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first", t.Tenant)
	}
	switch t.Priority {
	case "", PriorityHigh, PriorityNormal, PriorityLow:
	default:
		f.add("priority", "%q is none of high, normal, low", t.Priority)
	}
}

// WithTerms is a copy of a job with other terms.
func WithTerms(j Job, t Terms) Job { return j.withTerms(t) }

func (j VerifyConnection) withTerms(t Terms) Job   { j.Terms = t; return j }
func (j BuildManifest) withTerms(t Terms) Job      { j.Terms = t; return j }
func (j GenerateThumbnails) withTerms(t Terms) Job { j.Terms = t; return j }
func (j ExportAnnotations) withTerms(t Terms) Job  { j.Terms = t; return j }
