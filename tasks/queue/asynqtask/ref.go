package asynqtask

import (
	"fmt"
	"strconv"
	"strings"
)

// JobRef names a task of a job. The task of generation 0 has the
// job's own ID. When the task of one generation is lost, with its
// worker or by asynq, the next one carries the job on.
type JobRef struct {
	Job        string
	Generation int
}

// generationMark is between an ID and a generation.
const generationMark = ":g"

// TaskID returns "<job>", and "<job>:g<n>" from generation 1 on.
func (r JobRef) TaskID() string { return withGeneration(r.Job, r.Generation) }

func withGeneration(id string, generation int) string {
	if generation == 0 {
		return id
	}
	return id + generationMark + strconv.Itoa(generation)
}

// ParseJobRef reads the ID of a job's task. Of the ID of a
// shard's task it returns the job alone.
func ParseJobRef(taskID string) JobRef {
	job, rest, _ := strings.Cut(taskID, ":") // no job ID has a colon
	count, ok := strings.CutPrefix(":"+rest, generationMark)
	if n, err := strconv.Atoi(count); ok && err == nil && n > 0 {
		return JobRef{job, n}
	}
	return JobRef{Job: job}
}

// ShardRef names a task of a shard. As JSON it is the payload of
// that task: the shard itself is in the job's record.
type ShardRef struct {
	Job        string `json:"job"`
	Shard      int    `json:"shard"`
	Generation int    `json:"generation,omitempty"`
}

// TaskID returns "<job>:s:<n>", and "<job>:s:<n>:g<generation>"
// from generation 1 on.
func (r ShardRef) TaskID() string {
	return withGeneration(r.Job+":s:"+strconv.Itoa(r.Shard), r.Generation)
}

// String returns "shard 7 of job x", for messages.
func (r ShardRef) String() string { return fmt.Sprintf("shard %d of job %s", r.Shard, r.Job) }
