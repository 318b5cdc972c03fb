package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// eventsKept is how many events the stream keeps, roughly.
const eventsKept = 50_000

const (
	eventJob  = "job"   // field of a stream entry: the job's ID
	eventBody = "event" // field of a stream entry: the event as JSON
)

// EventID names an event of a job. The same event always has the same ID.
func EventID(job string, round int, what string) string {
	return fmt.Sprintf("%s/%d/%s", job, round, what)
}

// Emit puts an event into the stream.
func (r Records) Emit(ctx context.Context, e tasks.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return r.send(ctx, e.Job, body)
}

func (r Records) send(ctx context.Context, job string, body []byte) error {
	return redisconn.Wrap(r.client.XAdd(ctx, &redis.XAddArgs{
		Stream: eventsKey, MaxLen: eventsKept, Approx: true, Values: []any{eventJob, job, eventBody, body},
	}).Err(), "event of job %s", job)
}

// Flush puts the last event of a job into the stream, if it is not there yet.
// The stream may lie on another server of a cluster than the record, so the
// two cannot be written in one step: the event waits in the record, and
// whoever looks after the job sends it, perhaps twice. Then the job is looked
// after no more.
func (r Records) Flush(ctx context.Context, id string) error {
	body, err := r.client.HGet(ctx, recordKey(id), "outbox").Bytes()
	if err != nil && !errors.Is(err, redis.Nil) {
		return redisconn.Wrap(err, "event of job %s", id)
	}
	if len(body) > 0 {
		if err := r.send(ctx, id, body); err != nil {
			return err
		}
		if err := sentScript.Run(ctx, r.client, []string{recordKey(id)}, body).Err(); err != nil {
			return redisconn.Wrap(err, "event of job %s", id)
		}
	}
	return r.release(ctx, id)
}

// release lets a job go that has ended. A retry may begin it in between,
// which is then tracked again.
func (r Records) release(ctx context.Context, id string) error {
	if err := r.Untrack(ctx, id); err != nil {
		return err
	}
	state, err := r.client.HGet(ctx, recordKey(id), "state").Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return redisconn.Wrap(err, "untrack job %s", id)
	case tasks.State(state).Final():
		return nil
	}
	return r.track(ctx, id)
}

// StreamEvent is an event with its place in the stream.
type StreamEvent struct {
	tasks.Event
	Position string
}

// DecodeEvent reads an entry of the stream.
func DecodeEvent(m redis.XMessage) (StreamEvent, error) {
	e := StreamEvent{Position: m.ID}
	body, _ := m.Values[eventBody].(string)
	if err := json.Unmarshal([]byte(body), &e.Event); err != nil {
		return e, fmt.Errorf("event %s of the stream %s: %w", m.ID, eventsKey, err)
	}
	return e, nil
}

// EventsStream is the key of the stream of events.
const EventsStream = eventsKey
