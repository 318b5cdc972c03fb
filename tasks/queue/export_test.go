package queue

import "github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"

// RunOf returns the lease of a run that has not begun with
// StartShard: for tests of what such a run writes late, or twice.
func RunOf(s Store, ref asynqtask.ShardRef, token string) ShardLease {
	return ShardLease{Ref: ref, run: token, store: s}
}

// WithLimits returns a lease that enforces other limits.
func WithLimits(l Lease, limits Limits) Lease {
	l.store = l.store.WithLimits(limits)
	return l
}
