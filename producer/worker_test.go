package producer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// outcome is what a stand-in worker lets come out of a job.
type outcome struct {
	result  string // JSON
	objects int64
	errors  []tasks.ObjectError
	failure *tasks.Failure
}

// standIn is a worker without buckets: it keeps the books of a job as a real
// one does, and asks what comes out of it.
type standIn struct {
	records queue.Records
	do      func(context.Context, queue.Claim) outcome
}

// startStandIn starts one on all queues but those of the shards.
func startStandIn(o redisconn.Options, do func(context.Context, queue.Claim) outcome) (stop func(), err error) {
	r := o.Client()
	queues := map[string]int{}
	for _, q := range tasks.Queues() {
		queues[q] = 1
	}
	server := asynq.NewServer(o, asynq.Config{
		Concurrency: 4, Queues: queues, LogLevel: asynq.FatalLevel,
		TaskCheckInterval: 10 * time.Millisecond, DelayedTaskCheckInterval: 10 * time.Millisecond, ShutdownTimeout: time.Second,
	})
	if err := server.Start(standIn{queue.NewRecords(r), do}); err != nil {
		return nil, err
	}
	return func() {
		server.Shutdown()
		_ = r.Close()
	}, nil
}

func work(t *testing.T, o redisconn.Options, do func(context.Context, queue.Claim) outcome) {
	t.Helper()
	stop, err := startStandIn(o, do)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
}

// ProcessTask runs a job as one shard.
func (w standIn) ProcessTask(ctx context.Context, t *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	claim, err := w.records.Begin(ctx, asynqtask.ParseJobRef(id), t.Type(), t.Payload(), tasks.StatePlanning)
	if err != nil || claim.Over {
		return err
	}
	err = w.records.Emit(ctx, tasks.Event{
		ID: fmt.Sprintf("%s/%d/started", claim.ID, claim.Round), Type: tasks.EventStarted, Job: claim.ID, Kind: claim.Kind, State: claim.State,
	})
	if err != nil {
		return err
	}
	return end(ctx, w.records, claim, w.do(ctx, claim))
}

// end brings a claimed job to its end.
func end(ctx context.Context, r queue.Records, c queue.Claim, out outcome) error {
	steps := []func() error{
		func() error { return r.Plan(ctx, c, queue.Planned{Shard: []byte("all"), Objects: out.objects}) },
		func() error { return r.Step(ctx, c, tasks.StatePlanning, tasks.StateRunning) },
		func() error {
			_, err := r.Commit(ctx, asynqtask.ShardRef{Job: c.ID}, queue.Piece{
				Last: true, Objects: out.objects, Errors: out.errors, Budget: 1 << 20,
			})
			return err
		},
		func() error {
			return r.Publish(ctx, c, queue.End{Result: []byte(out.result), Failure: out.failure, Keep: time.Hour})
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// records are what a worker beside the client uses.
func records(t *testing.T, o redisconn.Options) queue.Records {
	t.Helper()
	r := o.Client()
	t.Cleanup(func() { _ = r.Close() })
	return queue.NewRecords(r)
}

// begin claims a job as a worker does.
func begin(t *testing.T, r queue.Records, id string) queue.Claim {
	t.Helper()
	c, err := r.Begin(t.Context(), asynqtask.JobRef{Job: id}, "build-manifest", []byte("{}"), tasks.StatePlanning)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
