package queue

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
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

func (e End) state() tasks.State {
	if e.Failure != nil {
		return tasks.StateFailed
	}
	return tasks.StateSucceeded
}

// Publish ends the job and sends its last event. A second call changes
// nothing, and sends the event if the first call could not.
func (l Lease) Publish(ctx context.Context, e End) error {
	event, err := l.endEvent(ctx, e)
	if err != nil {
		return err
	}
	args, err := l.store.publishArgs(e)
	if err != nil {
		return err
	}
	args["epoch"], args["event"] = l.epoch, event

	n, err := l.store.patient.run(ctx, lua.Publish, l.ID, args).Int()
	switch {
	case err != nil:
		return fenced(err, l.ID)
	case n == 0: // it had ended, perhaps by this very call
		return l.store.patient.flush(ctx, l.ID)
	}
	return l.store.patient.flushEvent(ctx, l.ID, event)
}

// endEvent returns the event that ends the job, as JSON.
func (l Lease) endEvent(ctx context.Context, e End) ([]byte, error) {
	s, err := l.store.statusAs(ctx, l.ID, e.state())
	if err != nil {
		return nil, err
	}
	if e.Counts != nil {
		s.Progress = *e.Counts
		s.Progress.Codes = countCodes(e.Errors)
	}
	return lastEvent(s, e.Failure)
}

// publishArgs are the arguments of publish.lua, without epoch and event.
func (s Store) publishArgs(e End) (lua.Args, error) {
	field, text := schema.Result, e.Result
	if e.Failure != nil {
		var err error
		if text, err = json.Marshal(e.Failure); err != nil {
			return nil, err
		}
		field = schema.Failure
	}

	kept := e.Errors[:min(len(e.Errors), ErrorsKept)]
	args := lua.Args{
		"state":      string(e.state()),
		"field":      field,
		"text":       text,
		"finished":   nowMillis(),
		"keep":       e.Keep.Milliseconds(),
		"lines":      s.codec.PackErrors(kept),
		"line_count": len(kept),
		"objects":    "", "total": "", "bytes": "", "failed": "",
		"codes": lua.List{},
	}
	if e.Counts == nil {
		return args, nil
	}
	args["objects"], args["total"] = e.Counts.Objects, e.Counts.ObjectsTotal
	args["bytes"], args["failed"] = e.Counts.Bytes, e.Counts.Failed
	var codes lua.List
	for code, n := range countCodes(e.Errors) {
		codes = append(codes, code, n)
	}
	args["codes"] = codes
	return args, nil
}
