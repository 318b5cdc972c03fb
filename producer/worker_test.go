package producer_test

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// outcome is what a fake worker makes of a job.
type outcome struct {
	result  string // JSON
	objects int64
	errors  []tasks.ObjectError
	failure *tasks.Failure
}

// fakeWorker is a worker without buckets. It writes the record of
// a job as a real one does, and calls do for the outcome.
type fakeWorker struct {
	store queue.Store
	do    func(context.Context, queue.Lease) outcome
}

// startWorker starts a fake worker on all queues but those of the
// shards.
func startWorker(
	o redisconn.Options, do func(context.Context, queue.Lease) outcome,
) (stop func(), err error) {
	r := o.Client()
	queues := map[string]int{}
	for _, q := range tasks.Queues() {
		queues[q] = 1
	}
	server := asynq.NewServer(o, asynq.Config{
		Concurrency: 4, Queues: queues, LogLevel: asynq.FatalLevel, ShutdownTimeout: time.Second,
		TaskCheckInterval: 10 * time.Millisecond, DelayedTaskCheckInterval: 10 * time.Millisecond,
	})
	if err := server.Start(fakeWorker{queue.NewStore(r), do}); err != nil {
		return nil, err
	}
	return func() {
		server.Shutdown()
		_ = r.Close()
	}, nil
}

func work(t *testing.T, o redisconn.Options, do func(context.Context, queue.Lease) outcome) {
	t.Helper()
	stop, err := startWorker(o, do)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
}

// ProcessTask runs a job as one shard.
func (w fakeWorker) ProcessTask(ctx context.Context, t *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	name, _ := asynq.GetQueueName(ctx)
	l, err := w.store.Claim(ctx, queue.ClaimRequest{
		Ref: asynqtask.ParseJobRef(id), Kind: t.Type(), Payload: t.Payload(), Queue: name, First: tasks.StatePlanning,
	})
	if err != nil || l.Over {
		return err
	}
	err = w.store.Emit(ctx, tasks.Event{
		ID: queue.EventID(l.ID, l.Round, "started"), Type: tasks.EventStarted, Job: l.ID, Kind: l.Kind, State: l.State,
	})
	if err != nil {
		return err
	}
	return end(ctx, w.store, l, w.do(ctx, l))
}

// end brings a claimed job to its end.
func end(ctx context.Context, s queue.Store, l queue.Lease, out outcome) error {
	if err := l.Plan(ctx, queue.PlannedShard{Shard: []byte("all"), Objects: out.objects}); err != nil {
		return err
	}
	if err := l.Advance(ctx, tasks.StatePlanning, tasks.StateRunning); err != nil {
		return err
	}
	run, err := s.StartShard(ctx, asynqtask.ShardRef{Job: l.ID})
	if err != nil {
		return err
	}
	_, err = run.Commit(ctx, queue.Checkpoint{
		Last: true, Objects: out.objects, Errors: out.errors,
	})
	if err != nil {
		return err
	}
	return l.Publish(ctx, queue.End{Result: []byte(out.result), Failure: out.failure, Keep: time.Hour})
}

// store is the Store of a worker beside the client.
func store(t *testing.T, o redisconn.Options) queue.Store {
	t.Helper()
	r := o.Client()
	t.Cleanup(func() { _ = r.Close() })
	return queue.NewStore(r)
}

// claim claims a job as a worker does.
func claim(t *testing.T, s queue.Store, id string) queue.Lease {
	t.Helper()
	l, err := s.Claim(t.Context(), queue.ClaimRequest{
		Ref: asynqtask.JobRef{Job: id}, Kind: "build-manifest", Payload: []byte("{}"), First: tasks.StatePlanning,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// takeOver gives a job to the next generation of its task.
func takeOver(t *testing.T, s queue.Store, id string) {
	t.Helper()
	seen, err := s.Reaper().Inspect(t.Context(), id)
	if err == nil {
		_, err = s.Reaper().TakeOver(t.Context(), id, seen, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}
