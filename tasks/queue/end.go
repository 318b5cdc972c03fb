package queue

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

var (
	// ErrNothingToRetry means that a job has no error list to work on again.
	ErrNothingToRetry = errors.New("nothing to retry")
	// ErrNotRetryable means that a job cannot be begun again for its error
	// list alone.
	ErrNotRetryable = errors.New("this job cannot be retried")
)

// End is how a job ended: with a result, or with a failure.
type End struct {
	Result  []byte              // JSON; nil when it failed
	Failure *tasks.Failure      // nil when it succeeded
	Counts  *tasks.Progress     // of a single job; a sharded one has committed its own
	Errors  []tasks.ObjectError // of a single job; likewise
	Keep    time.Duration       // how long the record stays
}

// Publish ends a job, once: a second call changes nothing. Only the
// coordinator that holds the job can. The event goes out in the same step,
// into the record; see Flush.
func (r Records) Publish(ctx context.Context, c Claim, e End) error {
	state, field, text := tasks.StateSucceeded, "result", e.Result
	if e.Failure != nil {
		var err error
		state, field = tasks.StateFailed, "failure"
		if text, err = json.Marshal(e.Failure); err != nil {
			return err
		}
	}
	s, err := r.statusAs(ctx, c.ID, state)
	if err != nil {
		return err
	}
	event, err := lastEvent(s, state, e)
	if err != nil {
		return err
	}
	kept := capped(e.Errors)
	args := []any{c.epoch, string(state), field, text, now(), e.Keep.Milliseconds(), event, r.packErrors(kept), len(kept)}
	if e.Counts == nil {
		args = append(args, "", "", "", "")
	} else {
		args = append(args, e.Counts.Objects, e.Counts.ObjectsTotal, e.Counts.Bytes, e.Counts.Failed)
		for code, n := range countCodes(e.Errors) {
			args = append(args, code, n)
		}
	}
	if err := r.script(ctx, publishScript, jobKeys(c.ID), args...); err != nil {
		return err
	}
	return r.Flush(ctx, c.ID)
}

// Cancel ends a job at once, whoever holds it: its coordinator and its shards
// find out at their next beat. It returns the state that the job had; a job
// that has ended stays as it is. keep is how long the record stays.
func (r Records) Cancel(ctx context.Context, id string, keep time.Duration) (tasks.State, error) {
	for token := rand.Text(); ; {
		s, err := r.Status(ctx, id)
		if err != nil {
			return "", err
		}
		event, err := lastEvent(s, tasks.StateCancelled, End{})
		if err != nil {
			return "", err
		}
		had, err := cancelScript.Run(ctx, r.client, jobKeys(id), now(), keep.Milliseconds(), event, s.Round, token).Text()
		switch {
		case err != nil:
			return "", redisconn.Wrap(err, "cancel job %s", id)
		case had == "":
			return "", fmt.Errorf("job %s: %w", id, ErrNoJob)
		case had == "round": // a retry has begun in between, so the event would be mistaken for that of the round before
			continue
		}
		return tasks.State(had), r.Flush(ctx, id)
	}
}

// lastEvent is the event that ends a job. Its ID follows from the job and the
// round alone.
func lastEvent(s tasks.Status, state tasks.State, e End) ([]byte, error) {
	if e.Counts != nil {
		s.Progress = *e.Counts
		s.Progress.Codes = countCodes(e.Errors)
	}
	s.Progress.Rate, s.Progress.ETASeconds = 0, 0
	types := map[tasks.State]tasks.EventType{
		tasks.StateSucceeded: tasks.EventSucceeded, tasks.StateFailed: tasks.EventFailed, tasks.StateCancelled: tasks.EventCancelled,
	}
	return json.Marshal(tasks.Event{
		ID: EventID(s.ID, s.Round, "end"), Type: types[state], Job: s.ID, Kind: s.Kind, State: state,
		Time: time.Now().UTC().Truncate(time.Millisecond), Progress: s.Progress, Failure: e.Failure,
	})
}

// Reopen begins a succeeded job again, for the objects of its error list
// alone, and returns the generation of the task that shall carry it. round is
// one more than the job's Status tells. It is safe to call twice.
func (r Records) Reopen(ctx context.Context, id string, round int) (generation int, err error) {
	// The last round's event goes out first: its place in the record will be
	// needed.
	if err := errors.Join(r.Flush(ctx, id), r.track(ctx, id)); err != nil {
		return 0, err
	}
	generation, err = reopenScript.Run(ctx, r.client, jobKeys(id), round).Int()
	var answer redis.Error
	switch {
	case err == nil:
		return generation, r.track(ctx, id) // once more, since a late Flush of the last round may have untracked it
	case errors.As(err, &answer):
		return 0, refusal(id, answer)
	}
	return 0, redisconn.Wrap(err, "retry job %s", id)
}

// refusal says why a job was not begun again.
func refusal(id string, answer redis.Error) error {
	switch text := strings.TrimPrefix(answer.Error(), "ERR "); {
	case strings.HasPrefix(text, "NOJOB"):
		return fmt.Errorf("job %s: %w", id, ErrNoJob)
	case strings.HasPrefix(text, "NOTHING"):
		return fmt.Errorf("job %s: %w: no object failed", id, ErrNothingToRetry)
	case strings.HasPrefix(text, "TRUNCATED"):
		return fmt.Errorf("job %s: %w: more objects failed than the error list keeps (about %d); enqueue the job anew", id, ErrNotRetryable, ErrorsKept)
	case strings.HasPrefix(text, "STATE "):
		return fmt.Errorf("job %s: %w: it is %s, and only a job that succeeded has an error list to work on; enqueue it anew",
			id, ErrNotRetryable, strings.Fields(text)[1])
	}
	return redisconn.Wrap(answer, "retry job %s", id)
}

func countCodes(list []tasks.ObjectError) map[string]int64 {
	codes := map[string]int64{}
	for _, e := range list {
		codes[e.Code]++
	}
	return codes
}
