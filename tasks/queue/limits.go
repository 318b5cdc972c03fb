package queue

import "errors"

var (
	// ErrBudget means that a job would keep more in Redis than
	// Limits.Bytes.
	ErrBudget = errors.New("the job would keep more in Redis than one job may")
	// ErrObjects means that a job has more objects than Limits.Objects.
	ErrObjects = errors.New("the job has more objects than one job may have")
)

// Limits bound what one job may cost the others. Zero means no limit.
type Limits struct {
	// Bytes is what a job may keep in Redis: its payload, planned
	// shards and their inputs, parts, error list and result, compressed
	// as they are there. The error list gets at most an eighth of it:
	// further lines are only counted.
	Bytes int64
	// Objects is how many objects may be planned.
	Objects int64
}

// WithLimits returns a Store whose leases enforce limits.
func (s Store) WithLimits(l Limits) Store {
	s.limits = l
	return s
}

// overLimit returns the error for the answer of a script that enforces
// a limit, nil if it is within.
func overLimit(answer int) error {
	switch answer {
	case -2:
		return ErrBudget
	case -3:
		return ErrObjects
	}
	return nil
}
