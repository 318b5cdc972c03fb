package queue

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/frames"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// End is how a job ended: with a result or with a failure.
type End struct {
	Result  []byte              // JSON; nil if it failed
	Failure *tasks.Failure      // nil if it succeeded
	Counts  *tasks.Progress     // of a single job; nil for a sharded one
	Errors  []tasks.ObjectError // of a single job; a sharded one has committed its own
	Keep    time.Duration       // how long the record stays
}

// Publish ends the job and sends its last event. A second call changes
// nothing, and sends the event if the first call could not. ErrBudget
// means that the result does not fit into what the job may keep, and
// that the job has not ended: a failure fits.
func (l Lease) Publish(ctx context.Context, e End) error {
	e.Errors = frames.Shorten(e.Errors)
	event, err := l.endEvent(ctx, e)
	if err != nil {
		return err
	}
	field, text, err := e.outcome()
	if err != nil {
		return err
	}

	counts, kept := e.counts(), e.Errors[:min(len(e.Errors), ErrorsKept)]
	n, err := l.store.patient.run(ctx, lua.Publish, l.ID, lua.Args{
		"epoch":      l.epoch,
		"state":      string(e.state()),
		"field":      field,
		"text":       text,
		"ttl":        e.Keep.Milliseconds(),
		"event":      event,
		"lines":      l.store.codec.PackErrors(kept),
		"line_count": len(kept),
		"objects":    counts[0],
		"total":      counts[1],
		"bytes":      counts[2],
		"failed":     counts[3],
		"warnings":   counts[4],
		"budget":     l.store.limits.Bytes,
		"codes":      e.codes(),
	}).Int()
	switch {
	case err != nil:
		return fenced(err, l.ID)
	case n < 0:
		return overLimit(n)
	case n == 0: // it had ended, perhaps by this very call
		return l.store.patient.flush(ctx, l.ID)
	}
	return l.store.patient.flushEvent(ctx, l.ID, event)
}

// endEvent returns the event that ends the job, as JSON.
func (l Lease) endEvent(ctx context.Context, e End) ([]byte, error) {
	s, err := l.store.patient.statusAs(ctx, l.ID, e.state())
	if err != nil {
		return nil, err
	}
	if e.Counts != nil {
		s.Progress = *e.Counts
		s.Progress.Codes = frames.CountCodes(e.Errors)
	}
	return lastEvent(s, e.Failure)
}

func (e End) state() tasks.State {
	if e.Failure != nil {
		return tasks.StateFailed
	}
	return tasks.StateSucceeded
}

// outcome returns the field of the record for the result or the
// failure, and its text.
func (e End) outcome() (field string, text []byte, err error) {
	if e.Failure == nil {
		return schema.Result, e.Result, nil
	}
	text, err = json.Marshal(e.Failure)
	return schema.Failure, text, err
}

// counts returns objects, total, bytes, failed and warnings of a single
// job, and empty texts for a sharded one.
func (e End) counts() [5]any {
	if c := e.Counts; c != nil {
		return [5]any{c.Objects, c.ObjectsTotal, c.Bytes, c.Failed, c.Warnings}
	}
	return [5]any{"", "", "", "", ""}
}

func (e End) codes() (list lua.List) {
	if e.Counts == nil {
		return nil
	}
	for code, n := range frames.CountCodes(e.Errors) {
		list = append(list, code, n)
	}
	return list
}
