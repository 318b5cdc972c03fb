package asynqtask

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// asynq archives a task after its last retry, even if that one
// ended with a drain or a throttle, which are no failures. So it
// gets more retries than it can use. The worker counts attempts
// itself.
const maxRetry = 10_000

// Job is a task that carries a job: its type is the kind, its ID
// comes from the job's ID, its payload is the job's.
//
// Producers in other languages enqueue the same with any client
// of asynq: queue and timeout from the table of kinds, at least
// 25 retries, and a retention if asynqmon must show the result.
type Job struct {
	Kind    tasks.Kind
	Ref     JobRef
	Queue   string // empty means QueueOf
	Payload []byte
	Wait    time.Duration // before it may begin; 0 or less means that it may now
}

func (j Job) queue() string {
	if j.Queue == "" {
		return QueueOf(j.Kind, j.Payload)
	}
	return j.Queue
}

// QueueOf returns the queue for a job whose record does not name it,
// because an older version made the record. It reads the priority from
// the payload. If it cannot, the priority is normal.
func QueueOf(k tasks.Kind, payload []byte) string {
	j, err := k.Decode(payload)
	if err != nil {
		return k.Policy.Queue
	}
	return j.JobTerms().Priority.Queue(k.Policy.Queue)
}

func (j Job) task() *asynq.Task {
	options := []asynq.Option{
		asynq.TaskID(j.Ref.TaskID()),
		asynq.Queue(j.queue()),
		asynq.MaxRetry(maxRetry),
		asynq.Timeout(asynqTimeout(j.Kind.Policy.Timeout)),
		asynq.Retention(j.Kind.Policy.Keep),
	}
	if j.Wait > 0 {
		// asynq cuts a time to whole seconds, which would let the job
		// begin too early; so this rounds up.
		options = append(options, asynq.ProcessAt(time.Now().Add(j.Wait+time.Second-1)))
	}
	return asynq.NewTask(j.Kind.Name, j.Payload, options...)
}

// ShardTimeout is how long one run of a shard may take.
const ShardTimeout = 30 * time.Minute

// shardSuffix ends the type of a shard's task. The kind stands
// before it.
const shardSuffix = ":shard"

// Shard is a task that carries a shard.
type Shard struct {
	Kind  string
	Ref   ShardRef
	Queue string
	ShardShares
}

// ShardShares says for whom and for what a shard counts. It is part of
// the payload of the shard's task.
type ShardShares struct {
	Tenant  string   `json:"tenant,omitempty"`
	Buckets []string `json:"buckets,omitempty"` // IDs of the job's buckets
}

// SharesOf says for whom and for what the shards of a job count. Each
// bucket is named once.
func SharesOf(j tasks.Job) ShardShares {
	shares := ShardShares{Tenant: j.JobTerms().Tenant}
	for _, storage := range tasks.Storages(j) {
		if id := storage.ID(); !slices.Contains(shares.Buckets, id) {
			shares.Buckets = append(shares.Buckets, id)
		}
	}
	return shares
}

func (s Shard) task() *asynq.Task {
	payload, _ := json.Marshal(struct { // strings and integers always marshal
		ShardRef
		ShardShares
	}{s.Ref, s.ShardShares})
	return asynq.NewTask(s.Kind+shardSuffix, payload,
		asynq.TaskID(s.Ref.TaskID()),
		asynq.Queue(s.Queue),
		asynq.MaxRetry(maxRetry),
		asynq.Timeout(asynqTimeout(ShardTimeout)))
}

// ShardKind returns the kind from the type of a shard's task. It
// returns false for any other task.
func ShardKind(taskType string) (kind string, ok bool) {
	return strings.CutSuffix(taskType, shardSuffix)
}

// asynqTimeout returns a minute more than the worker's own limit.
// If asynq ends a task, the handler's error is lost, and the slot
// is free although the handler may still run. asynq keeps whole
// seconds, and takes 0 for half an hour.
func asynqTimeout(limit time.Duration) time.Duration {
	return limit.Truncate(time.Second) + time.Minute
}
