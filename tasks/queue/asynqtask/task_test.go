package asynqtask_test

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// asynq takes a timeout of zero, or of less than a second, for
// half an hour.
func TestTasksHaveWholeTimeouts(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t, start(t))
			check := func(queue, id string, limit, keep time.Duration) {
				t.Helper()
				info, err := e.inspector.GetTaskInfo(queue, id)
				ok(t, err)
				if info.Timeout <= limit || info.Timeout > limit+2*time.Minute || info.Timeout%time.Second != 0 {
					t.Errorf("%s: timeout %v for a limit of %v", id, info.Timeout, limit)
				}
				if info.MaxRetry < 1000 || info.Retention != keep {
					t.Errorf("%s: %d retries, kept %v", id, info.MaxRetry, info.Retention)
				}
			}
			for _, k := range tasks.Kinds() {
				base := k.Policy.Queue
				for name, want := range map[string]string{"": base, base: base, base + "-high": base + "-high"} {
					job := asynqtask.JobRef{Job: k.Name + name, Generation: len(name)}
					ok(t, e.EnqueueJob(t.Context(), asynqtask.Job{Kind: k, Ref: job, Queue: name, Payload: []byte("{}")}))
					check(want, job.TaskID(), k.Policy.Timeout, k.Policy.Keep)
				}
			}
			for queue, shard := range map[string]asynqtask.ShardRef{
				"shards":     {Job: "j", Shard: 7},
				"shards-low": {Job: "j", Shard: 7, Generation: 2},
			} {
				ok(t, e.EnqueueShard(t.Context(), asynqtask.Shard{Kind: "build-manifest", Ref: shard, Queue: queue}))
				check(queue, shard.TaskID(), asynqtask.ShardTimeout, 0)
			}
		})
	}
}

func TestTaskIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]asynqtask.JobRef{
		"j":        {Job: "j"},
		"j:g3":     {Job: "j", Generation: 3},
		"j:s:7":    {Job: "j"},
		"j:s:7:g2": {Job: "j"},
		"j:7":      {Job: "j"},
		"j:g":      {Job: "j"},
		"j:g-1":    {Job: "j"},
		"j:gg1":    {Job: "j"},
		"j::g1":    {Job: "j"},
		"":         {},
	} {
		if got := asynqtask.ParseJobRef(id); got != want {
			t.Errorf("%q: %+v", id, got)
		}
	}
	for want, shard := range map[string]asynqtask.ShardRef{
		"j:s:7":    {Job: "j", Shard: 7},
		"j:s:7:g2": {Job: "j", Shard: 7, Generation: 2},
	} {
		if got := shard.TaskID(); got != want {
			t.Errorf("%v: %q", shard, got)
		}
	}
}

func FuzzTaskIDComesBack(f *testing.F) {
	f.Add("j", 0, 0)
	f.Add("0198-x_y.z", 7, 3)
	f.Add("g1", 1, 1)
	f.Fuzz(func(t *testing.T, job string, shard, generation int) {
		asynqtask.ParseJobRef(job) // no text may make it panic
		if asynqtask.CheckID(job) != nil || generation < 0 || shard < 0 {
			return
		}
		want := asynqtask.JobRef{Job: job, Generation: generation}
		if got := asynqtask.ParseJobRef(want.TaskID()); got != want {
			t.Errorf("%+v became %+v", want, got)
		}
		s := asynqtask.ShardRef{Job: job, Shard: shard, Generation: generation}
		if got := asynqtask.ParseJobRef(s.TaskID()); got != (asynqtask.JobRef{Job: job}) {
			t.Errorf("%s became %+v", s, got)
		}
		if s.TaskID() == want.TaskID() {
			t.Errorf("a shard and its job have the same task: %s", s.TaskID())
		}
	})
}

func TestShardKind(t *testing.T) {
	t.Parallel()
	task := asynqtask.Shard{Kind: "build-manifest", Ref: asynqtask.ShardRef{Job: "j"}}.Task()
	if kind, ok := asynqtask.ShardKind(task.Type()); !ok || kind != "build-manifest" {
		t.Errorf("%q, %v", kind, ok)
	}
	if _, ok := asynqtask.ShardKind("build-manifest"); ok {
		t.Error("the type of a job's task was taken for that of a shard")
	}
}

// A task that is there stays. One that has ended makes room.
func TestEnqueueJobTwice(t *testing.T) {
	t.Parallel()
	e := serve(t, queuetest.Embedded(t), handle)
	job := asynqtask.Job{Kind: manifests(t), Ref: asynqtask.JobRef{Job: "j"}, Payload: []byte("first"), Queue: "paused"}
	id := job.Ref.TaskID()
	ok(t, e.EnqueueJob(t.Context(), job))
	job.Payload = []byte("second")
	ok(t, e.EnqueueJob(t.Context(), job))
	payload := func() string {
		t.Helper()
		info, err := e.inspector.GetTaskInfo("paused", id)
		ok(t, err)
		return string(info.Payload)
	}
	if got := payload(); got != "first" {
		t.Errorf("a waiting task became %q", got)
	}
	ok(t, e.inspector.ArchiveTask("paused", id))
	ok(t, e.EnqueueJob(t.Context(), job))
	if got := payload(); got != "second" {
		t.Errorf("an archived task stayed: %q", got)
	}
	if state, err := e.State("paused", id); err != nil || state != asynqtask.Pending {
		t.Errorf("%s, %v", state, err)
	}
}

// A job whose record names no queue goes where its payload says.
func TestQueueOf(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"source":{},"priority":"low"}`: "jobs-low",
		`{"source":{}}`:                  "jobs",
		`no JSON`:                        "jobs",
	} {
		if got := asynqtask.QueueOf(manifests(t), []byte(payload)); got != want {
			t.Errorf("%s: %s", payload, got)
		}
	}
	e := open(t, queuetest.Embedded(t))
	ok(t, e.EnqueueJob(t.Context(), asynqtask.Job{
		Kind: manifests(t), Ref: asynqtask.JobRef{Job: "j"}, Payload: []byte(`{"source":{},"priority":"low"}`),
	}))
	if state, err := e.State("jobs-low", "j"); state != asynqtask.Pending || err != nil {
		t.Errorf("%s, %v", state, err)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Embedded(t))
	job := func(id string) asynqtask.Job {
		return asynqtask.Job{Kind: manifests(t), Ref: asynqtask.JobRef{Job: id}}
	}
	expect := func(id string, want asynqtask.State, waiting bool) {
		t.Helper()
		got, err := e.State(tasks.QueueJobs, id)
		if err != nil || got != want || got.Waiting() != waiting {
			t.Errorf("%s is %s, waiting %v; %v", id, got, got.Waiting(), err)
		}
	}
	expect("j", asynqtask.Gone, false) // without a queue
	ok(t, e.EnqueueJob(t.Context(), job("j")))
	later := job("later")
	later.Wait = time.Hour
	ok(t, e.EnqueueJob(t.Context(), later))
	expect("j", asynqtask.Pending, true)
	expect("later", asynqtask.Scheduled, true)
	expect("other", asynqtask.Gone, false)

	ok(t, e.inspector.ArchiveTask(tasks.QueueJobs, "j"))
	expect("j", asynqtask.Archived, false)
	ok(t, e.Withdraw(tasks.QueueJobs, "j"))
	expect("j", asynqtask.Archived, false)
	ok(t, e.RunArchived(tasks.QueueJobs, "j"))
	expect("j", asynqtask.Pending, true)
	for range 2 {
		ok(t, e.Withdraw(tasks.QueueJobs, "j"))
		expect("j", asynqtask.Gone, false)
	}
}

func TestFindJob(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Embedded(t))
	if _, there, err := e.FindJob("j"); there || err != nil {
		t.Errorf("%v, %v", there, err)
	}
	task := asynq.NewTask("build-manifest", []byte("{}"), asynq.TaskID("j"), asynq.Queue("exports-low"))
	ok(t, e.put(t, task))
	found, there, err := e.FindJob("j")
	if !there || err != nil || found.Kind != "build-manifest" || found.Queue != "exports-low" || string(found.Payload) != "{}" {
		t.Errorf("%+v, %v, %v", found, there, err)
	}
	ok(t, e.inspector.ArchiveTask("exports-low", "j"))
	if _, there, err := e.FindJob("j"); there || err != nil {
		t.Errorf("after its end: %v, %v", there, err)
	}
}

func TestWorkersAndQueues(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no test of more than three seconds")
	}
	e := serve(t, queuetest.Embedded(t), handle)
	ok(t, e.put(t, asynq.NewTask("waits", nil, asynq.TaskID("waits"))))
	queuetest.Eventually(t, 20*time.Second, "a worker says that it runs the task", func() bool {
		return e.IsRunning("waits")
	})
	if e.IsRunning("other") {
		t.Error("a worker runs a task that does not exist")
	}
	for queue, want := range map[string]int{"default": slots - asynqtask.GuestPlaces, "other": 0} {
		if n, err := e.Slots(queue); n != want || err != nil {
			t.Errorf("%s: %d slots, %v", queue, n, err)
		}
	}
	ok(t, e.EnqueueJob(t.Context(), asynqtask.Job{Kind: manifests(t), Ref: asynqtask.JobRef{Job: "j"}, Queue: "jobs-low"}))
	queues, err := e.Queues()
	if err != nil || len(queues) != len(tasks.Queues()) {
		t.Fatalf("%d queues, %v", len(queues), err)
	}
	for i, name := range tasks.Queues() {
		want := 0
		if name == "jobs-low" {
			want = 1
		}
		if queues[i].Name != name || queues[i].Size != want {
			t.Errorf("%s: %+v", name, queues[i])
		}
	}
}

// A task that a worker refused was not archived by hand.
func TestRefusedTaskIsNotShelved(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	e := serve(t, o, func(context.Context, *asynq.Task) error { return asynq.SkipRetry })
	ok(t, e.EnqueueJob(t.Context(), asynqtask.Job{Kind: manifests(t), Ref: asynqtask.JobRef{Job: "refused"}}))
	later := asynqtask.Job{Kind: manifests(t), Ref: asynqtask.JobRef{Job: "shelved"}, Wait: time.Hour}
	ok(t, e.EnqueueJob(t.Context(), later))
	ok(t, e.inspector.ArchiveTask(tasks.QueueJobs, "shelved"))
	queuetest.Eventually(t, 10*time.Second, "the task is refused", func() bool {
		state, err := e.State(tasks.QueueJobs, "refused")
		return err == nil && state == asynqtask.Archived
	})
	for id, want := range map[string]bool{"refused": false, "shelved": true, "unknown": false} {
		if got, err := e.IsShelved(tasks.QueueJobs, id); got != want || err != nil {
			t.Errorf("%s: %v, %v", id, got, err)
		}
	}
}
