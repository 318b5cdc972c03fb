package tasks

import (
	"encoding/json"
	"time"
)

// State says how far a job is.
type State string

// The states. A single job goes from queued to running to its end; a
// sharded one also plans and finishes.
const (
	StateQueued    State = "queued"
	StatePlanning  State = "planning"  // the bucket is being listed; shards already run
	StateRunning   State = "running"   // all shards are planned, and run
	StateFinishing State = "finishing" // all shards are done, the result is being made
	StateSucceeded State = "succeeded"
	StateFailed    State = "failed"
	StateCancelled State = "cancelled"
)

// Final reports whether a job in this state has ended. Only a retry
// begins it again.
func (s State) Final() bool {
	return s == StateSucceeded || s == StateFailed || s == StateCancelled
}

// Status holds what is known of a job.
type Status struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	State    State    `json:"state"`
	Tenant   string   `json:"tenant,omitempty"`
	Round    int      `json:"round,omitempty"` // how often the job was retried
	Progress Progress `json:"progress"`
	// Storages are those that the payload names. They are missing for a
	// job of a kind that the reader does not know.
	Storages []NamedStorage `json:"storages,omitempty"`
	// Result is there when the job has succeeded. A retry that did not
	// succeed leaves the result of the round before. Kind.DecodeResult
	// reads it.
	Result   json.RawMessage `json:"result,omitempty"`
	Failure  *Failure        `json:"failure,omitempty"` // when the job has failed
	Created  time.Time       `json:"created,omitzero"`
	Started  time.Time       `json:"started,omitzero"`
	Finished time.Time       `json:"finished,omitzero"`
}

// NamedStorage tells people which storage a job uses.
type NamedStorage struct {
	Field       string `json:"field"` // of the payload, for example "source"
	URL         string `json:"url"`   // for example "s3://bucket/prefix"
	DisplayName string `json:"display_name,omitempty"`
	Description string `json:"description,omitempty"`
}

// Progress counts what a job has done. It is at most a second old.
// Counts only grow while a job runs. Totals are known when the job is
// planned.
type Progress struct {
	Objects      int64 `json:"objects"`                 // objects processed, the failed ones too
	ObjectsTotal int64 `json:"objects_total,omitempty"` // 0 while unknown
	Bytes        int64 `json:"bytes"`                   // bytes read from and written to buckets for them
	Failed       int64 `json:"failed"`                  // objects on the error list
	Warnings     int64 `json:"warnings,omitempty"`      // of these: objects with warnings only
	Shards       int64 `json:"shards,omitempty"`        // shards committed; 0 for single jobs
	ShardsTotal  int64 `json:"shards_total,omitempty"`

	// Rate is in objects a second, over the last seconds; 0 when the
	// job has ended.
	Rate float64 `json:"rate,omitempty"`
	// ETASeconds is the time to the last object at this rate; 0 while
	// unknown.
	ETASeconds int64 `json:"eta_seconds,omitempty"`
	// Codes counts failed objects by their code on the error list.
	Codes map[string]int64 `json:"codes,omitempty"`
}

// LeftOut returns how many objects are not in the job's output. They
// are on the error list, as are the objects with warnings.
func (p Progress) LeftOut() int64 { return max(0, p.Failed-p.Warnings) }

// Failure says why a job failed.
type Failure struct {
	Kind    string `json:"kind"`           // invalid, unauthenticated, denied, not-found, ..., timeout, internal
	Code    string `json:"code,omitempty"` // the cloud's own code, for example NoSuchBucket
	Message string `json:"message"`        // what happened, and to which object or bucket
	Fix     string `json:"fix,omitempty"`  // what to do about it
}

// ObjectError is one line of a job's error list. The object is left
// out of the job's output, unless the line is a warning.
type ObjectError struct {
	Key     string `json:"key"`
	Code    string `json:"code"` // for example corrupt-image, unsupported-format, not-found
	Message string `json:"message"`
	// Warning says that the object is in the output all the same.
	// Something about it is not as it should be, for example one of its
	// shapes is left out.
	Warning bool `json:"warning,omitempty"`
}

// EventType says what happened to a job.
type EventType string

// The events of a job. Each run of a job has exactly one of the last
// three.
const (
	EventStarted   EventType = "started"
	EventProgress  EventType = "progress" // at most one a second
	EventSucceeded EventType = "succeeded"
	EventFailed    EventType = "failed"
	EventCancelled EventType = "cancelled"
)

// Final reports whether the job has ended with this event.
func (t EventType) Final() bool { return t != EventStarted && t != EventProgress }

// Event is something that happened to a job. Each event is delivered at
// least once. If it is delivered again it has the same ID.
type Event struct {
	ID       string    `json:"id"`
	Type     EventType `json:"type"`
	Job      string    `json:"job"`
	Kind     string    `json:"kind"`
	State    State     `json:"state"`
	Time     time.Time `json:"time"`
	Progress Progress  `json:"progress"`
	Failure  *Failure  `json:"failure,omitempty"` // of a job that failed
}
