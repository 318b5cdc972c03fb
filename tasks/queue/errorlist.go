package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// ErrorsKept is how many lines of a job's error list are kept, give or take a shard. All are counted in Progress.Failed.
const ErrorsKept = 10_000

// Errors is a job's error list, in the order of its shards. It is empty when nothing failed or the record has expired.
func (r Records) Errors(ctx context.Context, job string) ([]tasks.ObjectError, error) {
	chunks, err := r.client.HGetAll(ctx, errorsKey(job)).Result()
	if err != nil {
		return nil, Wrap(err, "read errors of job %s", job)
	}
	shards := make([]int, 0, len(chunks))
	for field := range chunks {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("errors of job %s: %w", job, err)
		}
		shards = append(shards, n)
	}
	slices.Sort(shards)
	var list []tasks.ObjectError
	for _, n := range shards {
		lines, err := r.unpackErrors([]byte(chunks[strconv.Itoa(n)]))
		if err != nil {
			return nil, fmt.Errorf("errors of job %s, shard %d: %w", job, n, err)
		}
		list = append(list, lines...)
	}
	return list, nil
}

func capped(list []tasks.ObjectError) []tasks.ObjectError { return list[:min(len(list), ErrorsKept)] }

// packErrors writes one JSON line an object, compressed; no lines are no bytes.
func (c codec) packErrors(list []tasks.ObjectError) []byte {
	if len(list) == 0 {
		return nil
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, e := range list {
		_ = enc.Encode(e) // three strings into memory cannot fail
	}
	return c.pack(lines.Bytes())
}

func (c codec) unpackErrors(packed []byte) ([]tasks.ObjectError, error) {
	lines, err := c.unpack(packed)
	if err != nil {
		return nil, err
	}
	var list []tasks.ObjectError
	for dec := json.NewDecoder(bytes.NewReader(lines)); dec.More(); {
		var e tasks.ObjectError
		if err := dec.Decode(&e); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
