package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Status reads what is known of a job. It is ErrNoJob when there is no record.
func (r Records) Status(ctx context.Context, id string) (tasks.Status, error) {
	fields := []string{
		"kind", "state", "objects", "objects_total", "bytes", "failed", "shards_done", "shards",
		"result", "failure", "created", "started", "finished",
	}
	v, err := r.fields(ctx, id, fields)
	if err != nil {
		return tasks.Status{}, err
	}
	s := tasks.Status{
		ID: id, Kind: v["kind"], State: tasks.State(v["state"]),
		Progress: tasks.Progress{
			Objects: number(v["objects"]), ObjectsTotal: number(v["objects_total"]), Bytes: number(v["bytes"]),
			Failed: number(v["failed"]), Shards: number(v["shards_done"]), ShardsTotal: number(v["shards"]),
		},
		Result:  json.RawMessage(v["result"]),
		Created: parseTime(v["created"]), Started: parseTime(v["started"]), Finished: parseTime(v["finished"]),
	}
	if v["failure"] == "" {
		return s, nil
	}
	s.Failure = new(tasks.Failure)
	if err := json.Unmarshal([]byte(v["failure"]), s.Failure); err != nil {
		return s, fmt.Errorf("record of job %s: %w", id, err)
	}
	return s, nil
}

// Fault is the failure that a shard has noted, or nil.
func (r Records) Fault(ctx context.Context, id string) (*tasks.Failure, error) {
	v, err := r.fields(ctx, id, []string{"state", "fault"})
	if err != nil || v["fault"] == "" {
		return nil, err
	}
	f := new(tasks.Failure)
	return f, json.Unmarshal([]byte(v["fault"]), f)
}

// fields reads some fields of a record; the first one must be there in every record.
func (r Records) fields(ctx context.Context, id string, names []string) (map[string]string, error) {
	values, err := r.client.HMGet(ctx, recordKey(id), names...).Result()
	if err != nil {
		return nil, Wrap(err, "read record of job %s", id)
	}
	if values[0] == nil {
		return nil, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	m := make(map[string]string, len(names))
	for i, name := range names {
		m[name], _ = values[i].(string)
	}
	return m, nil
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // a missing field is 0
	return n
}
