package queue

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// Status reads what is known of a job. It returns ErrNoJob if there is
// no record.
func (s Store) Status(ctx context.Context, id string) (tasks.Status, error) {
	return s.patient.statusAs(ctx, id, "")
}

// StatusAndPayload is Status, and also returns the payload.
func (s Store) StatusAndPayload(
	ctx context.Context, id string,
) (status tasks.Status, payload []byte, err error) {
	v, err := s.patient.readRecord(ctx, id)
	if err != nil {
		return tasks.Status{}, nil, err
	}
	status, err = statusOf(id, v)
	return status, []byte(v[schema.Payload]), err
}

// statusAs returns the status that a job would have in another state.
// An empty state means the one that it has.
func (c conn) statusAs(
	ctx context.Context, id string, state tasks.State,
) (tasks.Status, error) {
	v, err := c.readRecord(ctx, id)
	if err != nil {
		return tasks.Status{}, err
	}
	if state != "" {
		v[schema.State] = string(state)
	}
	return statusOf(id, v)
}

func (c conn) readRecord(ctx context.Context, id string) (schema.Fields, error) {
	v, err := c.client.HGetAll(ctx, schema.RecordKey(id)).Result()
	switch {
	case err != nil:
		return nil, redisconn.Wrap(err, "read the record of job %s", id)
	case v[schema.Kind] == "":
		return nil, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	return v, nil
}

func statusOf(id string, f schema.Fields) (tasks.Status, error) {
	status, err := f.Status()
	status.ID = id
	if err != nil {
		return status, fmt.Errorf("record of job %s: %w", id, err)
	}
	return status, nil
}
