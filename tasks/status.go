package tasks

import (
	"encoding/json"
	"time"
)

// State is where a job is in its life.
type State string

// The states. A single job goes from queued to running to its end; a sharded
// one also plans and finishes.
const (
	StateQueued    State = "queued"
	StatePlanning  State = "planning"  // listing the bucket; shards already run
	StateRunning   State = "running"   // everything is planned, shards run
	StateFinishing State = "finishing" // all shards are done, the result is being put together
	StateSucceeded State = "succeeded"
	StateFailed    State = "failed"
	StateCancelled State = "cancelled"
)

// Final reports whether a job in this state has ended. Only a retry of what
// failed begins it again.
func (s State) Final() bool {
	return s == StateSucceeded || s == StateFailed || s == StateCancelled
}

// Status is what is known of a job.
type Status struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	State    State           `json:"state"`
	Round    int             `json:"round,omitempty"` // how often what had failed was tried again
	Progress Progress        `json:"progress"`
	Result   json.RawMessage `json:"result,omitempty"`  // when succeeded, or of the round before when only a retry did not; Kind.DecodeResult reads it
	Failure  *Failure        `json:"failure,omitempty"` // when failed
	Created  time.Time       `json:"created,omitzero"`
	Started  time.Time       `json:"started,omitzero"`
	Finished time.Time       `json:"finished,omitzero"`
}

// Progress counts what a job has done. It is at most a second old. Counts
// only grow while a job runs; totals are known once it is planned.
type Progress struct {
	Objects      int64 `json:"objects"`                 // objects dealt with, the failed ones too
	ObjectsTotal int64 `json:"objects_total,omitempty"` // 0 while unknown
	Bytes        int64 `json:"bytes"`                   // bytes read from and written to buckets for them
	Failed       int64 `json:"failed"`                  // objects on the error list
	Shards       int64 `json:"shards,omitempty"`        // shards committed; 0 for single jobs
	ShardsTotal  int64 `json:"shards_total,omitempty"`

	Rate       float64          `json:"rate,omitempty"`        // objects a second over the last seconds; 0 when the job has ended
	ETASeconds int64            `json:"eta_seconds,omitempty"` // until the last object at this rate; 0 while unknown
	Codes      map[string]int64 `json:"codes,omitempty"`       // failed objects by the code of their line on the error list
}

// Failure is why a job failed.
type Failure struct {
	Kind    string `json:"kind"`           // invalid, unauthenticated, denied, not-found, ..., timeout, internal
	Code    string `json:"code,omitempty"` // the cloud's own code, for example NoSuchBucket
	Message string `json:"message"`        // what happened, to what
	Fix     string `json:"fix,omitempty"`  // what to do about it
}

// ObjectError is one line of a job's error list: an object that could not be
// dealt with, while the job went on.
type ObjectError struct {
	Key     string `json:"key"`
	Code    string `json:"code"` // for example corrupt-image, unsupported-format, not-found
	Message string `json:"message"`
}
