package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// A timeout of zero, or a fraction of a second, is half an hour to asynq.
func TestTasksCarryWholeTimeouts(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		client, inspector := asynq.NewClientFromRedisClient(r.client), asynq.NewInspectorFromRedisClient(r.client)
		check := func(task *asynq.Task, q, id string, limit, keep time.Duration) {
			t.Helper()
			must[*asynq.TaskInfo](t)(client.EnqueueContext(t.Context(), task))
			info := must[*asynq.TaskInfo](t)(inspector.GetTaskInfo(q, id))
			if info.Timeout <= limit || info.Timeout > limit+2*time.Minute || info.Timeout%time.Second != 0 || info.MaxRetry < 1000 || info.Retention != keep {
				t.Errorf("%s: timeout %v for a limit of %v, %d retries, kept %v", id, info.Timeout, limit, info.MaxRetry, info.Retention)
			}
		}
		for _, k := range tasks.Kinds() {
			base := k.Policy.Queue
			for p, q := range map[tasks.Priority]string{"": base, tasks.PriorityHigh: tasks.PriorityHigh.Queue(base)} {
				ref := queue.JobRef{Job: k.Name + string(p), Generation: len(p)}
				check(queue.NewJobTask(k, ref, []byte("{}"), p), q, ref.TaskID(), k.Policy.Timeout, k.Policy.Keep)
			}
		}
		check(queue.NewShardTask(kind, ref("j", 7), ""), tasks.QueueShards, "j:s:7", queue.ShardTimeout, 0)
		check(queue.NewShardTask(kind, queue.ShardRef{Job: "j", Shard: 7, Generation: 2}, tasks.PriorityLow), "shards-low", "j:s:7:g2", queue.ShardTimeout, 0)
	})
}

func TestTaskIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]queue.JobRef{
		"j": {Job: "j"}, "j:g3": {Job: "j", Generation: 3}, "j:s:7": {Job: "j"}, "j:s:7:g2": {Job: "j"},
		"j:7": {Job: "j"}, "j:g": {Job: "j"}, "j:g-1": {Job: "j"}, "j:gg1": {Job: "j"}, "": {},
	} {
		if got := queue.ParseJobRef(id); got != want {
			t.Errorf("%q: %+v", id, got)
		}
	}
}

func FuzzTaskIDComesBack(f *testing.F) {
	f.Add("j", 0, 0)
	f.Add("0198-x_y.z", 7, 3)
	f.Add("g1", 1, 1)
	f.Fuzz(func(t *testing.T, job string, shard, generation int) {
		queue.ParseJobRef(job) // of anything, without a panic
		if queue.CheckID(job) != nil || generation < 0 || shard < 0 {
			return
		}
		want := queue.JobRef{Job: job, Generation: generation}
		if got := queue.ParseJobRef(want.TaskID()); got != want {
			t.Errorf("%+v became %+v", want, got)
		}
		s := queue.ShardRef{Job: job, Shard: shard, Generation: generation}
		if got := queue.ParseJobRef(s.TaskID()); got != (queue.JobRef{Job: job}) {
			t.Errorf("the shard %+v became %+v", s, got)
		}
		if s.TaskID() == want.TaskID() {
			t.Errorf("a shard and its job have the same task: %s", s.TaskID())
		}
	})
}

func TestCheckID(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"a": true, "0198-x_y.z": true, strings.Repeat("a", 128): true,
		"": false, "a b": false, "a:s:1": false, "{a}": false, "-a": false, strings.Repeat("a", 129): false, "a\n": false, "港": false,
	} {
		if err := queue.CheckID(id); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestShardKind(t *testing.T) {
	t.Parallel()
	if kind, ok := queue.ShardKind(queue.NewShardTask(kind, ref("j", 0), "").Type()); !ok || kind != "build-manifest" {
		t.Errorf("%q, %v", kind, ok)
	}
	if _, ok := queue.ShardKind(kind); ok {
		t.Error("a job was taken for a shard")
	}
}
