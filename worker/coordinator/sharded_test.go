package coordinator

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// panickingPayload is a payload whose own code panics.
type panickingPayload struct{ tasks.BuildManifest }

func (panickingPayload) JobTerms() tasks.Terms { panic("boom") }

// noShards is a sharded job that has nothing to do.
type noShards struct{ job.Sharded[tasks.Job] }

func (noShards) Plan(context.Context, tasks.Job, job.Env, string, func(job.Shard) error) error {
	return nil
}

// Code of the payload runs in the goroutine of the caller, who guards
// it. In a goroutine of the coordinator its panic would end the worker.
func TestRun_PayloadPanics(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	client := o.Client()
	t.Cleanup(func() { _ = client.Close() })
	c := New(Config{Store: queue.NewStore(client), Log: slog.New(slog.DiscardHandler)})
	err := guard.Call(func() error {
		_, err := c.Run(t.Context(), Job{
			Kind:    job.Kind{Sharded: noShards{}},
			Payload: panickingPayload{},
		})
		return err
	})
	if !errors.Is(err, guard.ErrPanic) {
		t.Errorf("got %v", err)
	}
}
