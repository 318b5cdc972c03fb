package queue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

var (
	// ErrNothingToRetry means that no object of a job failed.
	ErrNothingToRetry = errors.New("nothing to retry")
	// ErrNotRetryable means that a job has not ended, or has no
	// complete error list that a retry could work on.
	ErrNotRetryable = errors.New("this job cannot be retried")
)

// RetryTask is what the task of a retry needs.
type RetryTask struct {
	State      tasks.State // queued, unless a worker has the job or had it
	Payload    []byte
	Queue      string // empty if an older version made the record
	Generation int
}

// BeginRetry begins a job that has ended again. If it has a result, the
// retry is for the objects of its error list alone. The caller must
// enqueue the task if the job is queued. round is one more than the
// Round of the job's Status. It is safe to call twice.
func (s Store) BeginRetry(ctx context.Context, id string, round int) (RetryTask, error) {
	jobs := s.patient.tracked()
	if err := jobs.Track(ctx, id, true); err != nil {
		return RetryTask{}, err
	}
	t, err := s.patient.beginRetry(ctx, id, round)
	if isAnswer(err, "OUTBOX") {
		// The last event of the round before is not sent yet. Its place
		// in the record will be needed.
		if err := errors.Join(s.patient.flush(ctx, id), jobs.Track(ctx, id, true)); err != nil {
			return RetryTask{}, err
		}
		t, err = s.patient.beginRetry(ctx, id, round)
	}
	if err != nil {
		return RetryTask{}, retryError(id, err)
	}

	// Once more: the end of the round before may have untracked the job
	// in between.
	return t, jobs.Track(ctx, id, true)
}

func (c conn) beginRetry(ctx context.Context, id string, round int) (RetryTask, error) {
	var fields lua.List
	for _, field := range schema.RoundFields() {
		fields = append(fields, field)
	}
	v, err := c.run(ctx, lua.BeginRetry, id, lua.Args{
		"round":  round,
		"fields": fields,
	}).StringSlice()
	if err != nil {
		return RetryTask{}, err
	}
	return RetryTask{tasks.State(v[0]), []byte(v[1]), v[2], int(schema.Number(v[3]))}, nil
}

// isAnswer reports whether a script has answered with an error that
// begins with a word.
func isAnswer(err error, word string) bool {
	var answer redis.Error
	return errors.As(err, &answer) &&
		strings.HasPrefix(strings.TrimPrefix(answer.Error(), "ERR "), word)
}

// retryError says why a job was not begun again.
func retryError(id string, err error) error {
	switch {
	case isAnswer(err, "NOJOB"):
		return fmt.Errorf("job %s: %w", id, ErrNoJob)
	case isAnswer(err, "NOTHING"):
		return fmt.Errorf("job %s: %w: no object failed", id, ErrNothingToRetry)
	case isAnswer(err, "TRUNCATED"):
		return fmt.Errorf("job %s: %w: more objects failed than the error list keeps (about %d); "+
			"enqueue the job anew", id, ErrNotRetryable, ErrorsKept)
	case isAnswer(err, "STATE "):
		_, state, _ := strings.Cut(err.Error(), "STATE ")
		return fmt.Errorf("job %s: %w: it is %s; wait for its end",
			id, ErrNotRetryable, strings.Fields(state)[0])
	}
	return redisconn.Wrap(err, "retry job %s", id)
}

// RetryList streams the error list that a retry works on. The first
// error ends it.
func (l Lease) RetryList(ctx context.Context) iter.Seq2[tasks.ObjectError, error] {
	return errorList{l.store, schema.Key(schema.Retry, l.ID)}.lines(ctx)
}
