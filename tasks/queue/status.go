package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Status reads what is known of a job. It is ErrNoJob when there is no
// record.
func (r Records) Status(ctx context.Context, id string) (tasks.Status, error) {
	return r.statusAs(ctx, id, "")
}

// statusAs is the status of a job as if it had come to a state already; an
// empty one means the state that it is in.
func (r Records) statusAs(ctx context.Context, id string, state tasks.State) (tasks.Status, error) {
	v, err := r.client.HGetAll(ctx, recordKey(id)).Result()
	switch {
	case err != nil:
		return tasks.Status{}, redisconn.Wrap(err, "read record of job %s", id)
	case v["kind"] == "":
		return tasks.Status{}, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	if state != "" {
		v["state"] = string(state)
	}
	s := tasks.Status{
		ID: id, Kind: v["kind"], State: tasks.State(v["state"]), Round: int(number(v["round"])), Progress: progressOf(v),
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

// progressOf is what is committed, or what the coordinator has seen under way
// if that is more: what a worker had done when it died is not taken back. Of
// a job that has succeeded everything is committed, and an object that failed
// in a run that died may not have failed in the next.
func progressOf(v map[string]string) tasks.Progress {
	total := number(v["objects_total"])
	seen := func(field string) int64 {
		if v["state"] == string(tasks.StateSucceeded) {
			return number(v[field])
		}
		return max(number(v[field]), number(v["shown_"+field]))
	}
	p := tasks.Progress{
		Objects: seen("objects"), ObjectsTotal: total, Bytes: seen("bytes"), Failed: seen("failed"),
		Shards: number(v["shards_done"]), ShardsTotal: number(v["shards"]), ETASeconds: number(v["eta"]),
	}
	if total > 0 { // a piece may be seen twice for a moment, under way and committed
		p.Objects = max(number(v["objects"]), min(p.Objects, total))
	}
	p.Rate, _ = strconv.ParseFloat(v["rate"], 64) // a missing field is 0
	p.Codes = numbersOf(v, "code:")
	return p
}

// numbersOf reads the fields that begin with a prefix; nil if there is none.
func numbersOf(v map[string]string, prefix string) map[string]int64 {
	var m map[string]int64
	for field, value := range v {
		if name, ok := strings.CutPrefix(field, prefix); ok {
			if m == nil {
				m = map[string]int64{}
			}
			m[name] = number(value)
		}
	}
	return m
}

// Totals are the counts of a sharded job that finishes.
type Totals struct {
	Tally  map[string]int64
	Shards int
	Bytes  int64
	Size   int64 // of all parts, uncompressed
	Failed int64
}

// Totals reads what the shards of a job have committed.
func (r Records) Totals(ctx context.Context, id string) (Totals, error) {
	v, err := r.client.HGetAll(ctx, recordKey(id)).Result()
	return Totals{
		Tally: numbersOf(v, "tally:"), Shards: int(number(v["shards"])),
		Bytes: number(v["bytes"]), Size: number(v["size"]), Failed: number(v["failed"]),
	}, redisconn.Wrap(err, "read record of job %s", id)
}
