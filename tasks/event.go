package tasks

import "time"

// EventType is what happened to a job.
type EventType string

// The events of a job. It has exactly one of the last three for each time
// that it is run.
const (
	EventStarted   EventType = "started"
	EventProgress  EventType = "progress" // at most one a second
	EventSucceeded EventType = "succeeded"
	EventFailed    EventType = "failed"
	EventCancelled EventType = "cancelled"
)

// Final reports whether the job has ended with this event.
func (t EventType) Final() bool { return t != EventStarted && t != EventProgress }

// Event is something that happened to a job. Events are delivered at least
// once: one that comes again has the same ID.
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
