package producer

import (
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Option changes how a job is enqueued.
type Option func(*settings)

type settings struct {
	id    string
	delay time.Duration
	terms []func(*tasks.Terms)
}

// WithID gives the job an ID of the caller's choice: 1 to 128
// letters, digits, dots, dashes and underscores. Enqueuing the
// same job again under the same ID changes nothing. Without this
// option every call makes a new job.
//
// Two jobs count as the same if they differ only in the value of
// a sealed secret, in priority, deadline or delay. The first call
// decides those.
func WithID(id string) Option { return func(s *settings) { s.id = id } }

// WithDelay keeps the job on the queue for at least this time
// before a worker may begin it. Meanwhile its state is queued.
func WithDelay(d time.Duration) Option { return func(s *settings) { s.delay = d } }

// WithDeadline sets the time by which the job must have ended.
// After it the job fails, even if no worker has begun it. It
// replaces the deadline of the payload. The zero time means none.
func WithDeadline(t time.Time) Option {
	return withTerms(func(terms *tasks.Terms) { terms.Deadline = t.UTC() })
}

// WithPriority says how urgent the job is. It replaces the
// priority of the payload.
func WithPriority(p tasks.Priority) Option {
	return withTerms(func(t *tasks.Terms) { t.Priority = p })
}

// WithTenant names the customer whose job it is. It replaces the
// tenant of the payload.
func WithTenant(tenant string) Option {
	return withTerms(func(t *tasks.Terms) { t.Tenant = tenant })
}

func withTerms(change func(*tasks.Terms)) Option {
	return func(s *settings) { s.terms = append(s.terms, change) }
}

func settingsOf(options []Option) settings {
	var s settings
	for _, o := range options {
		o(&s)
	}
	return s
}

// apply returns the job with the terms that the caller asks for.
func (s settings) apply(j tasks.Job) tasks.Job {
	if len(s.terms) == 0 {
		return j
	}
	terms := j.JobTerms()
	for _, change := range s.terms {
		change(&terms)
	}
	return tasks.WithTerms(j, terms)
}
