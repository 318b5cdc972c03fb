package producer

import (
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Option changes how a job is enqueued.
type Option func(*settings)

type settings struct {
	id    string
	delay time.Duration
	terms []func(*tasks.Terms)
}

// WithID gives the job an ID of the caller's choice, 1 to 128 letters,
// digits, dots, dashes and underscores. Enqueuing the same job under the same
// ID again is the same job; without this option every call makes a new one.
// Two jobs that differ in nothing but what a sealed secret holds are the
// same, and so are two that differ in priority, deadline or delay: what the
// first one said holds.
func WithID(id string) Option { return func(s *settings) { s.id = id } }

// WithDelay keeps the job on the queue for at least so long before a worker
// may begin it. Meanwhile its state is queued.
func WithDelay(d time.Duration) Option { return func(s *settings) { s.delay = d } }

// WithDeadline says when the job must have ended; later it fails, even if no
// worker has begun it. It takes the place of the payload's own deadline; the
// zero time means none.
func WithDeadline(t time.Time) Option {
	return withTerms(func(terms *tasks.Terms) { terms.Deadline = t.UTC() })
}

// WithPriority says how urgent the job is. It takes the place of the
// payload's own priority.
func WithPriority(p tasks.Priority) Option { return withTerms(func(t *tasks.Terms) { t.Priority = p }) }

// WithTenant says whose job it is. It takes the place of the payload's own
// tenant.
func WithTenant(tenant string) Option { return withTerms(func(t *tasks.Terms) { t.Tenant = tenant }) }

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

// apply is a copy of the job under the terms that the caller asks for.
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

// asynq is what asynq itself is told.
func (s settings) asynq() []asynq.Option {
	if s.delay <= 0 {
		return nil
	}
	// It keeps whole seconds and cuts the rest off, which would let the job
	// begin too early.
	return []asynq.Option{asynq.ProcessAt(time.Now().Add(s.delay + time.Second - 1))}
}
