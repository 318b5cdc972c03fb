package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// EventsStream is the key of the stream of events.
const EventsStream = schema.EventsKey

// maxEvents is about how many events the stream keeps.
const maxEvents = 50_000

// EventID returns the ID of an event of a job. The same event has the
// same ID each time.
func EventID(job string, round int, what string) string {
	return fmt.Sprintf("%s/%d/%s", job, round, what)
}

// Emit puts an event into the stream. It is not for the last event of a
// job: Publish and Cancel send that one.
func (s Store) Emit(ctx context.Context, e tasks.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return s.prompt.sendEvent(ctx, e.Job, body)
}

func (c conn) sendEvent(ctx context.Context, job string, body []byte) error {
	return redisconn.Wrap(c.client.XAdd(ctx, &redis.XAddArgs{
		Stream: schema.EventsKey,
		MaxLen: maxEvents,
		Approx: true,
		Values: []any{schema.EventJob, job, schema.EventBody, body},
	}).Err(), "send an event of job %s", job)
}

// StreamEvent is an event with its place in the stream.
type StreamEvent struct {
	tasks.Event
	Position string
}

// DecodeEvent reads an entry of the stream.
func DecodeEvent(m redis.XMessage) (StreamEvent, error) {
	e := StreamEvent{Position: m.ID}
	body, _ := m.Values[schema.EventBody].(string)
	if err := json.Unmarshal([]byte(body), &e.Event); err != nil {
		return e, fmt.Errorf("event %s of the stream %s: %w", m.ID, schema.EventsKey, err)
	}
	return e, nil
}

// lastEvent returns the event that ends a job, as JSON. s is the status
// that the job will have.
func lastEvent(s tasks.Status, f *tasks.Failure) ([]byte, error) {
	types := map[tasks.State]tasks.EventType{
		tasks.StateSucceeded: tasks.EventSucceeded,
		tasks.StateFailed:    tasks.EventFailed,
		tasks.StateCancelled: tasks.EventCancelled,
	}
	s.Progress.Rate, s.Progress.ETASeconds = 0, 0
	return json.Marshal(tasks.Event{
		ID:       EventID(s.ID, s.Round, "end"),
		Type:     types[s.State],
		Job:      s.ID,
		Kind:     s.Kind,
		State:    s.State,
		Time:     time.Now().UTC().Truncate(time.Millisecond),
		Progress: s.Progress,
		Failure:  f,
	})
}
