package queue

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// asynq archives a task whose tries are used up even when the last "failure"
// was a drain or a throttle, so it is given more tries than it can use; the
// worker counts attempts itself.
const maxRetry = 10_000

// JobRef names a task of a job. The first generation's ID is the job's own;
// when the task of one generation is lost, with its worker or by asynq, the
// next one carries the job on.
type JobRef struct {
	Job        string
	Generation int
}

// TaskID is "<job>", and "<job>:g<n>" from generation 1 on.
func (r JobRef) TaskID() string {
	if r.Generation == 0 {
		return r.Job
	}
	return r.Job + generationMark + strconv.Itoa(r.Generation)
}

// ParseJobRef reads the ID of a job's task, or of a task of one of its
// shards, of which it tells the job alone.
func ParseJobRef(taskID string) JobRef {
	job, rest, _ := strings.Cut(taskID, ":") // no job ID has a colon
	count, ok := strings.CutPrefix(rest, generationMark[1:])
	if n, err := strconv.Atoi(count); ok && err == nil && n > 0 {
		return JobRef{job, n}
	}
	return JobRef{Job: job}
}

const generationMark = ":g"

// NewJobTask is the asynq task that carries a job: its type is the kind, its ID
// the job's ID, its payload the payload.
//
// Producers in other languages enqueue the same: any asynq-compatible client,
// queue and timeout from the table of kinds, a retry limit of at least 25, a
// retention if asynqmon shall show the result.
func NewJobTask(k tasks.Kind, ref JobRef, payload []byte, p tasks.Priority) *asynq.Task {
	return asynq.NewTask(k.Name, payload,
		asynq.TaskID(ref.TaskID()), asynq.Queue(p.Queue(k.Policy.Queue)), asynq.MaxRetry(maxRetry),
		asynq.Timeout(backstop(k.Policy.Timeout)), asynq.Retention(k.Policy.Keep))
}

// ShardRef is the payload of a shard's task: the shard itself is in the job's
// record.
type ShardRef struct {
	Job        string `json:"job"`
	Shard      int    `json:"shard"`
	Generation int    `json:"generation,omitempty"`
}

// ShardTimeout is how long one run of a shard may take.
const ShardTimeout = 30 * time.Minute

const shardSuffix = ":shard"

// NewShardTask is the asynq task of one shard. Enqueuing it twice makes one
// task.
func NewShardTask(kind string, ref ShardRef, p tasks.Priority) *asynq.Task {
	payload, _ := json.Marshal(ref) // a string and integers always marshal
	return asynq.NewTask(kind+shardSuffix, payload,
		asynq.TaskID(ref.TaskID()), asynq.Queue(p.Queue(tasks.QueueShards)), asynq.MaxRetry(maxRetry),
		asynq.Timeout(backstop(ShardTimeout)))
}

// TaskID is "<job>:s:<n>", and "<job>:s:<n>:g<generation>" from generation 1
// on.
func (r ShardRef) TaskID() string {
	id := r.Job + ":s:" + strconv.Itoa(r.Shard)
	if r.Generation == 0 {
		return id
	}
	return id + generationMark + strconv.Itoa(r.Generation)
}

// ShardKind splits the type of a shard's task. It is false for any other
// task.
func ShardKind(taskType string) (kind string, ok bool) {
	return strings.CutSuffix(taskType, shardSuffix)
}

// backstop is asynq's own limit, a minute after the worker's: when asynq's
// strikes, the handler's error is lost and its slot is freed although it may
// still run. Whole seconds, since asynq cuts fractions off, and takes 0 for
// half an hour.
func backstop(limit time.Duration) time.Duration { return limit.Truncate(time.Second) + time.Minute }

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// CheckID says what is wrong with a job ID that a caller chose.
func CheckID(id string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("job ID %q: use 1 to 128 letters, digits, dots, dashes and underscores, a letter or digit first", id)
	}
	return nil
}
