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

// asynq archives a task whose tries are used up even when the last "failure" was a drain or a throttle, so it is given
// more tries than it can use; the worker counts attempts itself.
const maxRetry = 10_000

// JobTask is the asynq task that carries a job: its type is the kind, its ID the job's ID, its payload the payload.
//
// Producers in other languages enqueue the same: any asynq-compatible client, queue and timeout from the table of kinds,
// a retry limit of at least 25, a retention if asynqmon shall show the result.
func JobTask(k tasks.Kind, id string, payload []byte) *asynq.Task {
	return asynq.NewTask(k.Name, payload,
		asynq.TaskID(id), asynq.Queue(k.Policy.Queue), asynq.MaxRetry(maxRetry),
		asynq.Timeout(backstop(k.Policy.Timeout)), asynq.Retention(k.Policy.Keep))
}

// ShardRef is the payload of a shard's task: the shard itself is in the job's record.
type ShardRef struct {
	Job   string `json:"job"`
	Shard int    `json:"shard"`
}

// ShardTimeout is how long one run of a shard may take.
const ShardTimeout = 30 * time.Minute

const shardSuffix = ":shard"

// ShardTask is the asynq task of one shard. Its ID is "<job>:s:<n>", so enqueuing it twice makes one task.
func ShardTask(kind, job string, shard int) *asynq.Task {
	payload, _ := json.Marshal(ShardRef{job, shard}) // a string and an int always marshal
	return asynq.NewTask(kind+shardSuffix, payload,
		asynq.TaskID(ShardTaskID(job, shard)), asynq.Queue(tasks.QueueShards), asynq.MaxRetry(maxRetry),
		asynq.Timeout(backstop(ShardTimeout)))
}

// ShardTaskID is the ID of a shard's task.
func ShardTaskID(job string, shard int) string { return job + ":s:" + strconv.Itoa(shard) }

// ShardKind splits the type of a shard's task. It is false for any other task.
func ShardKind(taskType string) (kind string, ok bool) {
	return strings.CutSuffix(taskType, shardSuffix)
}

// backstop is asynq's own limit, a minute after the worker's: when asynq's strikes, the handler's error is lost and its
// slot is freed although it may still run. Whole seconds, since asynq cuts fractions off, and takes 0 for half an hour.
func backstop(limit time.Duration) time.Duration { return limit.Truncate(time.Second) + time.Minute }

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// CheckID says what is wrong with a job ID that a caller chose.
func CheckID(id string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("job ID %q: use 1 to 128 letters, digits, dots, dashes and underscores, a letter or digit first", id)
	}
	return nil
}
