package schema

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Fields are the fields of a job's record, as Redis returns them.
type Fields map[string]string

// Number returns a field as a number, 0 if it is missing.
func (f Fields) Number(field string) int64 { return Number(f[field]) }

// Numbers returns the fields that begin with a prefix, without it. It
// returns nil if there are none.
func (f Fields) Numbers(prefix string) map[string]int64 {
	var m map[string]int64
	for field, value := range f {
		if name, ok := strings.CutPrefix(field, prefix); ok {
			if m == nil {
				m = map[string]int64{}
			}
			m[name] = Number(value)
		}
	}
	return m
}

// Status returns the status of the job, without its ID.
func (f Fields) Status() (tasks.Status, error) {
	s := tasks.Status{
		Kind:     f[Kind],
		State:    tasks.State(f[State]),
		Round:    int(f.Number(Round)),
		Progress: f.progress(),
		Result:   json.RawMessage(f[Result]),
		Created:  Time(f[Created]),
		Started:  Time(f[Started]),
		Finished: Time(f[Finished]),
	}
	if f[Failure] == "" {
		return s, nil
	}
	s.Failure = new(tasks.Failure)
	return s, json.Unmarshal([]byte(f[Failure]), s.Failure)
}

// progress returns the shown counts. After success it returns the
// committed ones: everything is committed then, and an object that
// failed in a run that died may have worked in the next.
func (f Fields) progress() tasks.Progress {
	objects, bytes, failed, warnings := ShownObjects, ShownBytes, ShownFailed, ShownWarnings
	if f[State] == string(tasks.StateSucceeded) {
		objects, bytes, failed, warnings = Objects, Bytes, Failed, Warnings
	}
	rate, _ := strconv.ParseFloat(f[Rate], 64) // a missing field is 0
	return tasks.Progress{
		Objects:      f.Number(objects),
		ObjectsTotal: f.Number(ObjectsTotal),
		Bytes:        f.Number(bytes),
		Failed:       f.Number(failed),
		Warnings:     f.Number(warnings),
		Shards:       f.Number(ShardsDone),
		ShardsTotal:  f.Number(ShardsTotal),
		Rate:         rate,
		ETASeconds:   f.Number(ETA),
		Codes:        f.Numbers(Code),
	}
}

// Number returns 0 for a text that is no number, above all for a
// missing field.
func Number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// Time reads milliseconds since 1970. It returns the zero time for a
// missing field.
func Time(millis string) time.Time {
	n := Number(millis)
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
