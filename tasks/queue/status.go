package queue

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// Status reads what is known of a job. It returns ErrNoJob if
// there is no record.
func (s Store) Status(ctx context.Context, id string) (tasks.Status, error) {
	return s.patient.statusAs(ctx, id, "")
}

// statusAs returns the status that a job would have in another
// state. An empty state means the one that it has.
func (c conn) statusAs(
	ctx context.Context, id string, state tasks.State,
) (tasks.Status, error) {
	v, err := c.client.HGetAll(ctx, schema.RecordKey(id)).Result()
	switch {
	case err != nil:
		return tasks.Status{}, redisconn.Wrap(err, "read the record of job %s", id)
	case v[schema.Kind] == "":
		return tasks.Status{}, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	if state != "" {
		v[schema.State] = string(state)
	}
	status, err := schema.Fields(v).Status()
	status.ID = id
	if err != nil {
		return status, fmt.Errorf("record of job %s: %w", id, err)
	}
	return status, nil
}
